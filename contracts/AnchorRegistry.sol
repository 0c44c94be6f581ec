// SPDX-License-Identifier: EUPL-1.2
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

import {IAnchorRegistry, MAX_SIZE} from "./IAnchorRegistry.sol";
import {Rfc9162} from "./Rfc9162.sol";

/// @title The anchors of append-only Merkle logs.
/// @dev No proxy, no immutable, no block number: the code is the same on every network, and an auditor who sends the same
/// transactions to a chain of their own ends with the same storage.
contract AnchorRegistry is IAnchorRegistry, AccessManaged {
    /// @dev One slot, so that an anchor reads and writes one slot besides its root.
    struct Log {
        address anchorer;
        uint64 size; // 0 exactly where no log was opened
        bool paused;
        bool closed;
    }

    // Slot 0 is AccessManaged's. Evidence relies on slot 1 (IAnchorRegistry).
    mapping(bytes32 logId => mapping(uint64 size => bytes32 root)) private _roots;
    mapping(bytes32 logId => Log) private _logs;

    /// @param authority The AccessManager that says who has which role.
    constructor(address authority) AccessManaged(authority) {
        // Where the precompile is missing, a call to it succeeds and leaves what lay in memory: every proof would be judged by
        // stale bytes. Known value: SHA-256("abc"), FIPS 180-4.
        bytes32 wanted = 0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad;
        bytes32 hash = sha256("abc");
        if (hash != wanted) revert AnchorRegistrySha256Wrong(hash, wanted);
    }

    /// @inheritdoc IAnchorRegistry
    function openLog(string calldata origin, address anchorer, bytes32 genesisLeaf)
        external
        restricted
        returns (bytes32 logId)
    {
        if (!_isOrigin(bytes(origin))) revert AnchorRegistryOriginMalformed(origin);
        logId = sha256(abi.encodePacked(block.chainid, address(this), origin));
        if (_logs[logId].size != 0) revert AnchorRegistryLogAlreadyOpen(logId);
        if (genesisLeaf == 0) revert AnchorRegistryRootZero(logId, 1);

        _logs[logId] = Log({anchorer: anchorer, size: 1, paused: false, closed: false});
        _roots[logId][1] = genesisLeaf;
        emit LogOpened(logId, origin, genesisLeaf);
        emit AnchorerSet(logId, anchorer);
    }

    /// @inheritdoc IAnchorRegistry
    function setAnchorer(bytes32 logId, address anchorer) external restricted {
        Log storage log = _unclosedLog(logId);

        log.anchorer = anchorer;
        emit AnchorerSet(logId, anchorer);
    }

    /// @inheritdoc IAnchorRegistry
    function setPaused(bytes32 logId, bool paused) external restricted {
        Log storage log = _unclosedLog(logId);

        log.paused = paused;
        emit PausedSet(logId, paused);
    }

    /// @inheritdoc IAnchorRegistry
    function closeLog(bytes32 logId) external restricted {
        Log storage log = _unclosedLog(logId);

        log.closed = true;
        emit LogClosed(logId, log.size, _roots[logId][log.size]);
    }

    /// @inheritdoc IAnchorRegistry
    function anchor(bytes32 logId, uint64 oldSize, uint64 newSize, bytes32 newRoot, bytes32[] calldata proof) external {
        // Not `restricted`: asking the authority would cost 11,000 gas and more, so the anchorer stands in the log's own slot.
        Log storage stored = _logs[logId];
        Log memory log = stored;
        if (log.size == 0) revert AnchorRegistryLogNotOpen(logId);
        if (msg.sender != log.anchorer) revert AnchorRegistryNotAnchorer(logId, msg.sender, log.anchorer);
        if (log.closed) revert AnchorRegistryLogClosed(logId);
        if (log.paused) revert AnchorRegistryLogPaused(logId);

        // A zero root would pass for "already anchored" wherever nothing is.
        if (newRoot == 0) revert AnchorRegistryRootZero(logId, newSize);
        mapping(uint64 size => bytes32 root) storage roots = _roots[logId];
        bytes32 anchoredRoot = roots[newSize];
        if (anchoredRoot == newRoot) return;
        if (anchoredRoot != 0) revert AnchorRegistryFork(logId, newSize, newRoot, anchoredRoot);

        if (oldSize != log.size) revert AnchorRegistryOldSizeNotLast(logId, oldSize, log.size);
        if (newSize <= oldSize) revert AnchorRegistrySizeNotGrowing(logId, newSize, oldSize);
        if (newSize > MAX_SIZE) revert AnchorRegistrySizeTooLarge(logId, newSize, MAX_SIZE);
        bytes32 oldRoot = roots[oldSize];
        if (!Rfc9162.isConsistent(oldSize, oldRoot, newSize, newRoot, proof)) {
            revert AnchorRegistryNotConsistent(logId, newSize, newRoot, oldSize, oldRoot);
        }

        roots[newSize] = newRoot;
        stored.size = newSize;
        emit Anchored(logId, newSize, newRoot, oldSize);
    }

    /// @inheritdoc IAnchorRegistry
    function head(bytes32 logId)
        external
        view
        returns (uint64 size, bytes32 root, address anchorer, bool paused, bool closed)
    {
        Log memory log = _logs[logId];
        return (log.size, _roots[logId][log.size], log.anchorer, log.paused, log.closed);
    }

    /// @inheritdoc IAnchorRegistry
    function rootAt(bytes32 logId, uint64 size) external view returns (bytes32 root) {
        return _roots[logId][size];
    }

    /// @inheritdoc IAnchorRegistry
    function verifyInclusion(bytes32 logId, uint64 size, uint64 index, bytes32 leafHash, bytes32[] calldata path)
        external
        view
        returns (bool)
    {
        bytes32 root = _roots[logId][size];
        if (root == 0 || index >= size) return false;
        return Rfc9162.isIncluded(index, size, leafHash, root, path);
    }

    /// @dev What every change of a log's state starts with: it was opened and not closed.
    function _unclosedLog(bytes32 logId) private view returns (Log storage log) {
        log = _logs[logId];
        if (log.size == 0) revert AnchorRegistryLogNotOpen(logId);
        if (log.closed) revert AnchorRegistryLogClosed(logId);
    }

    /// @dev 1 to 128 characters of `[a-z0-9.:/_-]`.
    function _isOrigin(bytes calldata text) private pure returns (bool) {
        if (text.length == 0 || text.length > 128) return false;
        for (uint256 i = 0; i < text.length; i++) {
            bytes1 c = text[i];
            // In ASCII, `-` `.` `/` `0` to `9` and `:` follow one another.
            if (!((c >= "a" && c <= "z") || (c >= "-" && c <= ":") || c == "_")) return false;
        }
        return true;
    }
}
