// SPDX-License-Identifier: EUPL-1.2
pragma solidity 0.8.37;

import {AnchorRegistry} from "../../contracts/AnchorRegistry.sol";
import {IAnchorRegistry} from "../../contracts/IAnchorRegistry.sol";
import {IKeyRegistry, NOTICE} from "../../contracts/IKeyRegistry.sol";
import {KeyRegistry} from "../../contracts/KeyRegistry.sol";
import {Vm} from "./Vm.sol";

/// @dev Sees every slot that the registries write and every event that they log, holds each write against the rules of DESIGN 3.7, and
/// rebuilds from the events alone what storage must say. A fault is kept, because a revert in the middle of a run would go unseen.
contract Witness {
    Vm private constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    struct Log {
        uint64 size;
        bytes32 root;
        address anchorer;
        bool paused;
        bool closed;
    }

    struct Agency {
        bool registered;
        address controller;
    }

    AnchorRegistry private immutable anchors;
    KeyRegistry private immutable keys;

    /// The first fault; empty while all is well.
    string public fault;
    /// How much was seen, so that a run in which nothing happens does not pass for a good one.
    uint256 public anchorsSeen;
    uint256 public retirementsSeen;

    // What the events said.
    bytes32[] private logIds;
    mapping(bytes32 logId => Log) private logs;
    mapping(bytes32 logId => uint64[]) private sizes;
    mapping(bytes32 logId => mapping(uint64 size => bytes32)) private roots;
    bytes32[] private keyIds;
    mapping(bytes32 keyId => IKeyRegistry.Key) private keyOf;
    bytes21[] private agencyIds;
    mapping(bytes21 agency => Agency) private agencies;

    // What storage said last, by slot; and what kind of slot it is, by the names that the events gave.
    mapping(address registry => mapping(bytes32 slot => bytes32)) private words;
    mapping(bytes32 slot => bool) private isHead;
    mapping(bytes32 slot => bool) private isRoot;
    mapping(bytes32 slot => bool) private isKey;
    mapping(bytes32 slot => bool) private isAgency;

    constructor(AnchorRegistry anchors_, KeyRegistry keys_) {
        (anchors, keys) = (anchors_, keys_);
    }

    function someLog(uint256 which) external view returns (bytes32) {
        return logIds.length == 0 ? bytes32(which) : logIds[which % logIds.length];
    }

    function someKey(uint256 which) external view returns (bytes32) {
        return keyIds.length == 0 ? bytes32(which) : keyIds[which % keyIds.length];
    }

    /// Looks at all that happened since the records were started. No event may come from a call that was undone.
    function look() external {
        Vm.Log[] memory events = vm.getRecordedLogs();
        for (uint256 i = 0; i < events.length; i++) {
            if (events[i].emitter == address(anchors)) readAnchorEvent(events[i]);
            if (events[i].emitter == address(keys)) readKeyEvent(events[i]);
        }
        (, bytes32[] memory writes) = vm.accesses(address(anchors));
        for (uint256 i = 0; i < writes.length; i++) judgeAnchorWrite(writes[i]);
        (, writes) = vm.accesses(address(keys));
        for (uint256 i = 0; i < writes.length; i++) judgeKeyWrite(writes[i]);
    }

    // The rules.

    function judgeAnchorWrite(bytes32 slot) private {
        (uint256 old, uint256 now_) = moved(address(anchors), slot);
        if (now_ == old) return;
        if (isRoot[slot]) {
            claim(old == 0, "a stored root was touched");
        } else if (isHead[slot]) {
            uint64 oldSize = uint64(old >> 160);
            uint64 size = uint64(now_ >> 160);
            claim(size >= oldSize && size > 0, "a size shrank");
            claim(old >> 232 == 0, "a closed log changed");
        } else {
            claim(slot == 0, "an unknown slot of the anchor registry was written");
        }
    }

    function judgeKeyWrite(bytes32 slot) private {
        (uint256 old, uint256 now_) = moved(address(keys), slot);
        if (now_ == old) return;
        if (isKey[slot]) {
            if (old == 0) return;
            uint256 oldUntil = old >> 216;
            uint256 until = now_ >> 216;
            claim(uint216(now_) == uint216(old), "agency, algorithm or beginning of a key changed");
            claim(until < oldUntil, "a key's validity was extended");
            claim(until >= block.timestamp + NOTICE, "a key's validity was cut without notice");
        } else {
            claim(slot == 0 || isAgency[slot], "an unknown slot of the key registry was written");
            claim(slot == 0 || uint8(now_) == 1, "an agency was removed");
        }
    }

    /// A slot's word when we last looked, and now.
    function moved(address registry, bytes32 slot) private returns (uint256 old, uint256 now_) {
        old = uint256(words[registry][slot]);
        words[registry][slot] = vm.load(registry, slot);
        now_ = uint256(words[registry][slot]);
    }

    // The events.

    function readAnchorEvent(Vm.Log memory log) private {
        bytes32 id = log.topics.length > 1 ? log.topics[1] : bytes32(0);
        if (log.topics[0] == IAnchorRegistry.LogOpened.selector) {
            (, bytes32 leaf) = abi.decode(log.data, (string, bytes32));
            claim(logs[id].size == 0, "a log was opened twice");
            logIds.push(id);
            isHead[keccak256(abi.encode(id, 2))] = true;
            tellRoot(id, 1, leaf);
        } else if (log.topics[0] == IAnchorRegistry.Anchored.selector) {
            (bytes32 root, uint64 oldSize) = abi.decode(log.data, (bytes32, uint64));
            uint64 size = uint64(uint256(log.topics[2]));
            claim(oldSize == logs[id].size && size > oldSize, "an anchor does not follow the last");
            claim(!logs[id].paused && !logs[id].closed, "a log that stands still was anchored");
            anchorsSeen++;
            tellRoot(id, size, root);
        } else if (log.topics[0] == IAnchorRegistry.AnchorerSet.selector) {
            logs[id].anchorer = abi.decode(log.data, (address));
        } else if (log.topics[0] == IAnchorRegistry.PausedSet.selector) {
            logs[id].paused = abi.decode(log.data, (bool));
        } else if (log.topics[0] == IAnchorRegistry.LogClosed.selector) {
            (uint64 size, bytes32 root) = abi.decode(log.data, (uint64, bytes32));
            claim(size == logs[id].size && root == logs[id].root, "a log was closed at another head");
            logs[id].closed = true;
        }
    }

    function tellRoot(bytes32 id, uint64 size, bytes32 root) private {
        claim(roots[id][size] == 0 && root != 0, "a size was used twice");
        roots[id][size] = root;
        (logs[id].size, logs[id].root) = (size, root);
        sizes[id].push(size);
        isRoot[keccak256(abi.encode(size, keccak256(abi.encode(id, 1))))] = true;
    }

    function readKeyEvent(Vm.Log memory log) private {
        if (log.topics.length < 2) return;
        bytes21 agency = bytes21(log.topics[1]);
        if (log.topics[0] == IKeyRegistry.AgencyRegistered.selector) {
            (, address controller) = abi.decode(log.data, (string, address));
            claim(!agencies[agency].registered, "an agency was registered twice");
            agencies[agency] = Agency(true, controller);
            agencyIds.push(agency);
            isAgency[keccak256(abi.encode(agency, 2))] = true;
        } else if (log.topics[0] == IKeyRegistry.ControllerSet.selector) {
            agencies[agency].controller = abi.decode(log.data, (address));
        } else if (log.topics[0] == IKeyRegistry.KeyAdded.selector) {
            (uint8 algorithm,, uint40 validFrom, uint40 validUntil,) =
                abi.decode(log.data, (uint8, bytes, uint40, uint40, bytes));
            claim(keyOf[log.topics[2]].agency == 0, "a key was added twice");
            claim(validFrom >= block.timestamp, "a key was good before it was added");
            keyOf[log.topics[2]] = IKeyRegistry.Key(agency, algorithm, validFrom, validUntil);
            keyIds.push(log.topics[2]);
            isKey[keccak256(abi.encode(log.topics[2], 1))] = true;
        } else if (log.topics[0] == IKeyRegistry.KeyRetired.selector) {
            (uint40 validUntil,,) = abi.decode(log.data, (uint40, uint8, uint40));
            claim(validUntil < keyOf[log.topics[2]].validUntil, "a key was retired to a later end");
            keyOf[log.topics[2]].validUntil = validUntil;
            retirementsSeen++;
        }
    }

    // What must be so at any time: storage says what the events say.

    function storageEqualsEvents() external view returns (bool) {
        for (uint256 i = 0; i < logIds.length; i++) if (!logIsAsTold(logIds[i])) return false;
        for (uint256 i = 0; i < keyIds.length; i++) {
            if (keccak256(abi.encode(keys.keyOf(keyIds[i]))) != keccak256(abi.encode(keyOf[keyIds[i]]))) return false;
        }
        for (uint256 i = 0; i < agencyIds.length; i++) {
            Agency memory told = agencies[agencyIds[i]];
            (bool registered, address controller) = keys.agencyOf(agencyIds[i]);
            if (registered != told.registered || controller != told.controller) return false;
        }
        return true;
    }

    function logIsAsTold(bytes32 id) private view returns (bool) {
        Log memory told = logs[id];
        (uint64 size, bytes32 root, address anchorer, bool paused, bool closed) = anchors.head(id);
        if (size != told.size || root != told.root || anchorer != told.anchorer) return false;
        if (paused != told.paused || closed != told.closed) return false;
        for (uint256 i = 0; i < sizes[id].length; i++) {
            if (anchors.rootAt(id, sizes[id][i]) != roots[id][sizes[id][i]]) return false;
        }
        return true;
    }

    function claim(bool holds, string memory otherwise) private {
        if (!holds && bytes(fault).length == 0) fault = otherwise;
    }
}
