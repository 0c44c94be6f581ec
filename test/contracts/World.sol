// SPDX-License-Identifier: EUPL-1.2
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

import {AnchorRegistry} from "../../contracts/AnchorRegistry.sol";
import {IAnchorRegistry} from "../../contracts/IAnchorRegistry.sol";
import {IKeyRegistry} from "../../contracts/IKeyRegistry.sol";
import {KeyRegistry} from "../../contracts/KeyRegistry.sol";
import {Roles} from "../../contracts/Roles.sol";
import {Twin} from "./Twin.sol";
import {Vm} from "./Vm.sol";

/// @dev What every test has: the contracts as `zegel deploy` sets them up, one address per role, and exact claims about calls.
abstract contract World {
    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    address internal constant admin = address(0xad);
    address internal constant opener = address(0x01f0);
    address internal constant pauser = address(0x02f0);
    address internal constant closer = address(0x03f0);
    address internal constant registrar = address(0x04f0);
    address internal constant anchorer = address(0xa0c0);
    address internal constant controller = address(0xc001);
    address internal constant stranger = address(0x5757);

    uint256 internal constant startTime = 1_795_507_200; // 2026-11-24T08:00:00Z
    string internal constant origin = "ledger.example/2026";
    bytes21 internal constant agency = "OVO002949";

    AccessManager internal manager;
    AnchorRegistry internal anchors;
    KeyRegistry internal keys;

    constructor() {
        vm.warp(startTime);
        manager = new AccessManager(address(this));
        anchors = new AnchorRegistry(address(manager));
        keys = new KeyRegistry(address(manager));

        _allow(address(anchors), anchors.openLog.selector, Roles.LOG_OPENER);
        _allow(address(anchors), anchors.setAnchorer.selector, Roles.LOG_OPENER);
        _allow(address(anchors), anchors.setPaused.selector, Roles.LOG_PAUSER);
        _allow(address(anchors), anchors.closeLog.selector, Roles.LOG_CLOSER);
        _allow(address(keys), keys.registerAgency.selector, Roles.KEY_REGISTRAR);
        _allow(address(keys), keys.renameAgency.selector, Roles.KEY_REGISTRAR);
        _allow(address(keys), keys.setController.selector, Roles.KEY_REGISTRAR);
        _allow(address(keys), keys.addKey.selector, Roles.KEY_REGISTRAR);
        _allow(address(keys), keys.retireKey.selector, Roles.KEY_REGISTRAR);
        manager.grantRole(Roles.LOG_OPENER, opener, 0);
        manager.grantRole(Roles.LOG_PAUSER, pauser, 0);
        manager.grantRole(Roles.LOG_CLOSER, closer, 0);
        manager.grantRole(Roles.KEY_REGISTRAR, registrar, 0);
        manager.grantRole(manager.ADMIN_ROLE(), admin, 0);
        manager.renounceRole(manager.ADMIN_ROLE(), address(this));
    }

    function _allow(address target, bytes4 selector, uint64 role) private {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = selector;
        manager.setTargetFunctionRole(target, selectors, role);
    }

    /// The leaf hashes of a log whose entries are its indexes.
    function leavesOf(uint256 size) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](size);
        for (uint256 i = 0; i < size; i++) leaves[i] = leafOf(i);
    }

    function leafOf(uint256 index) internal pure returns (bytes32) {
        return Twin.leafHash(abi.encodePacked(index));
    }

    /// Opens a log of the above, with `by` as its anchorer.
    function openedLog(string memory name, address by) internal returns (bytes32 logId) {
        // Hashing is a call as well, and a prank is for the very next one.
        bytes32 genesisLeaf = leafOf(0);
        vm.prank(opener);
        return anchors.openLog(name, by, genesisLeaf);
    }

    /// Anchors a true root with a true proof.
    function anchored(bytes32 logId, uint64 oldSize, uint64 newSize) internal returns (bytes32 root) {
        bytes32[] memory leaves = leavesOf(newSize);
        root = Twin.root(leaves, 0, newSize);
        bytes32[] memory proof = Twin.consistencyProof(leaves, oldSize, newSize);
        vm.prank(anchorer);
        anchors.anchor(logId, oldSize, newSize, root, proof);
    }

    /// The call succeeds.
    function accepts(address caller, address target, bytes memory data) internal returns (bytes memory answer) {
        bool accepted;
        vm.prank(caller);
        (accepted, answer) = target.call(data);
        if (!accepted) {
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer))
            }
        }
    }

    /// The call reverts, with exactly this error and these arguments.
    function refuses(address caller, address target, bytes memory data, bytes memory wanted) internal {
        vm.prank(caller);
        (bool accepted, bytes memory answer) = target.call(data);
        require(!accepted, "accepted, want a refusal");
        require(keccak256(answer) == keccak256(wanted), string.concat("refused with ", hexOf(answer)));
    }

    /// The call succeeds and logs exactly one event, by its target.
    function logsOnly(address caller, address target, bytes memory call, bytes32[] memory topics, bytes memory data)
        internal
    {
        vm.recordLogs();
        accepts(caller, target, call);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        require(logs.length == 1, "want one event");
        isEvent(logs[0], target, topics, data);
    }

    function isEvent(Vm.Log memory log, address emitter, bytes32[] memory topics, bytes memory data) internal pure {
        require(log.emitter == emitter, "another emitter");
        require(keccak256(abi.encode(log.topics)) == keccak256(abi.encode(topics)), "other topics");
        require(keccak256(log.data) == keccak256(data), string.concat("other data: ", hexOf(log.data)));
    }

    function topics2(bytes32 a, bytes32 b) internal pure returns (bytes32[] memory topics) {
        topics = new bytes32[](2);
        (topics[0], topics[1]) = (a, b);
    }

    function topics3(bytes32 a, bytes32 b, bytes32 c) internal pure returns (bytes32[] memory topics) {
        topics = new bytes32[](3);
        (topics[0], topics[1], topics[2]) = (a, b, c);
    }

    function hexOf(bytes memory data) internal pure returns (string memory) {
        bytes memory digits = "0123456789abcdef";
        bytes memory text = new bytes(2 * data.length);
        for (uint256 i = 0; i < data.length; i++) {
            text[2 * i] = digits[uint8(data[i]) >> 4];
            text[2 * i + 1] = digits[uint8(data[i]) & 15];
        }
        return string(text);
    }
}
