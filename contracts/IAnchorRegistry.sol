// SPDX-License-Identifier: EUPL-1.2
pragma solidity 0.8.37;

/// @dev The largest size of a log, 2^53 - 1: the largest integer that every JSON reader holds exactly.
uint64 constant MAX_SIZE = 2 ** 53 - 1;

/// @title The anchors of append-only Merkle logs.
/// @notice A log is an RFC 9162 tree (SHA-256) over a growing list of entries; its *size* is the number of entries, its *root* the
/// hash of the tree over them. An *anchor* is one (size, root) that this registry has accepted. It accepts a root only with a
/// proof that the new tree begins with the tree of the last one, so whoever holds every key that this contract knows can
/// lengthen a log or end it, but never change what is anchored.
///
/// Who may do what:
/// - the log's *anchorer*, one address per log, calls `anchor`, and nothing else;
/// - the roles of the AccessManager that is this contract's authority (numbers in Roles.sol): LOG_OPENER `openLog` and
///   `setAnchorer`, LOG_PAUSER `setPaused`, LOG_CLOSER `closeLog`;
/// - nobody sets a head, writes a root a second time, removes one, or opens a closed log again. There is no function that does.
///
/// Storage that evidence relies on: `roots[logId][size]` is a plain nested mapping at slot 1, so the slot of an anchor is
/// keccak256(uint256 size ‖ keccak256(logId ‖ uint256 1)). The size is in the slot's key: one state proof shows size and root.
interface IAnchorRegistry {
    /// @notice A log was opened. Its only entry has the leaf hash `genesisLeaf`, which is therefore the root at size 1. Opening
    /// counts as the anchor of size 1 and has no `Anchored` event of its own.
    event LogOpened(bytes32 indexed logId, string origin, bytes32 genesisLeaf);

    /// @notice From now on `anchorer` may anchor this log, and no other address. Also emitted when a log is opened.
    event AnchorerSet(bytes32 indexed logId, address anchorer);

    /// @notice The log accepts no anchors (`paused`), or accepts them again.
    event PausedSet(bytes32 indexed logId, bool paused);

    /// @notice The log will never accept an anchor again. `size` and `root` are its last.
    event LogClosed(bytes32 indexed logId, uint64 size, bytes32 root);

    /// @notice The tree of `size` entries has the root `root`, and begins with the tree of `oldSize` entries anchored before it.
    event Anchored(bytes32 indexed logId, uint64 indexed size, bytes32 root, uint64 oldSize);

    /// @notice The origin is not 1 to 128 characters of `[a-z0-9.:/_-]`.
    error AnchorRegistryOriginMalformed(string origin);

    /// @notice A log of this origin was opened before. An origin serves once, also after its log was closed.
    error AnchorRegistryLogAlreadyOpen(bytes32 logId);

    /// @notice No log with this id was ever opened.
    error AnchorRegistryLogNotOpen(bytes32 logId);

    /// @notice The log was closed, for ever.
    error AnchorRegistryLogClosed(bytes32 logId);

    /// @notice The log is paused.
    error AnchorRegistryLogPaused(bytes32 logId);

    /// @notice Only the log's anchorer may anchor.
    error AnchorRegistryNotAnchorer(bytes32 logId, address caller, address anchorer);

    /// @notice Zero means "nothing anchored" and can be no root. SHA-256 gives it for no known input.
    error AnchorRegistryRootZero(bytes32 logId, uint64 size);

    /// @notice Fork alarm: at this size another root is anchored. Whoever sees this has two trees of one log.
    error AnchorRegistryFork(bytes32 logId, uint64 size, bytes32 root, bytes32 anchoredRoot);

    /// @notice The anchor builds on `oldSize`, but the log's head is at `lastSize`: somebody anchored in between.
    error AnchorRegistryOldSizeNotLast(bytes32 logId, uint64 oldSize, uint64 lastSize);

    /// @notice The new size is not larger than the last.
    error AnchorRegistrySizeNotGrowing(bytes32 logId, uint64 size, uint64 lastSize);

    /// @notice The new size is beyond 2^53 - 1.
    error AnchorRegistrySizeTooLarge(bytes32 logId, uint64 size, uint64 maxSize);

    /// @notice The proof does not show that the tree of (size, root) begins with the tree of (lastSize, lastRoot).
    error AnchorRegistryNotConsistent(bytes32 logId, uint64 size, bytes32 root, uint64 lastSize, bytes32 lastRoot);

    /// @notice This chain's SHA-256 precompile does not give SHA-256: the registry cannot be deployed on it.
    error AnchorRegistrySha256Wrong(bytes32 hash, bytes32 wanted);

    /// @notice Opens the log of an origin, with size 1. Role LOG_OPENER.
    /// @param origin The log's name: 1 to 128 characters of `[a-z0-9.:/_-]`, never used before in this registry.
    /// @param anchorer The only address that may anchor; zero for nobody.
    /// @param genesisLeaf The leaf hash of entry 0, which commits to the genesis document. Not zero.
    /// @return logId SHA-256(uint256 chain id ‖ 20-byte address of this registry ‖ origin), so that no other chain or registry can
    /// speak for the log.
    function openLog(string calldata origin, address anchorer, bytes32 genesisLeaf) external returns (bytes32 logId);

    /// @notice Replaces the address that may anchor; zero for nobody. Role LOG_OPENER. Refused once the log is closed.
    function setAnchorer(bytes32 logId, address anchorer) external;

    /// @notice Stops a log from accepting anchors, or lets it accept them again. Role LOG_PAUSER. Refused once the log is closed.
    function setPaused(bytes32 logId, bool paused) external;

    /// @notice Ends a log for ever; what is anchored stays. Role LOG_CLOSER.
    function closeLog(bytes32 logId) external;

    /// @notice Anchors (newSize, newRoot). Only the log's anchorer.
    /// @dev Checked in this order: the log is open, the caller its anchorer, the log neither closed nor paused; newRoot is not zero.
    /// If exactly (newSize, newRoot) is anchored already, at the head or before, the call succeeds and does nothing, without an
    /// event: a transaction that is sent twice is harmless. If another root is anchored at newSize: AnchorRegistryFork. Then
    /// oldSize is the head's (compare-and-swap: of two anchorers with one key, one loses), newSize is larger and at most 2^53 - 1,
    /// and the proof holds.
    ///
    /// A consistency proof does not bind newSize: most hold for a neighbouring size as well. An anchorer that is wrong about the
    /// size jams its own log, since no true proof continues from there; no receipt is affected, because the checkpoint's
    /// signature and the storage slot's key bind size and root.
    /// @param oldSize The size of the log's head, on which this anchor builds.
    /// @param newSize The number of entries now.
    /// @param newRoot The root of the tree over them.
    /// @param proof The consistency proof of RFC 9162 section 2.1.4 from oldSize to newSize, with exactly the hashes that it needs.
    function anchor(bytes32 logId, uint64 oldSize, uint64 newSize, bytes32 newRoot, bytes32[] calldata proof) external;

    /// @notice The log's last anchor and state; all zero where no log was opened.
    function head(bytes32 logId)
        external
        view
        returns (uint64 size, bytes32 root, address anchorer, bool paused, bool closed);

    /// @notice The root anchored at exactly this size; zero where none was.
    function rootAt(bytes32 logId, uint64 size) external view returns (bytes32 root);

    /// @notice Says whether a leaf stands at `index` (from 0) of the tree anchored at exactly `size`. False, never a revert, where
    /// nothing is anchored at that size, the index is beyond it, or the path has another length or does not lead to the root.
    /// @param leafHash SHA-256(0x00 ‖ entry). The caller must have hashed the entry itself: a node's hash is no leaf's.
    /// @param path The inclusion proof of RFC 9162 section 2.1.3, from the leaf upwards; empty for size 1.
    function verifyInclusion(bytes32 logId, uint64 size, uint64 index, bytes32 leafHash, bytes32[] calldata path)
        external
        view
        returns (bool);
}
