// SPDX-License-Identifier: EUPL-1.2
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

import {AnchorRegistry} from "../../contracts/AnchorRegistry.sol";
import {KeyRegistry} from "../../contracts/KeyRegistry.sol";
import {Roles} from "../../contracts/Roles.sol";
import {HostileAuthority} from "./HostileAuthority.sol";
import {Twin} from "./Twin.sol";
import {Vm} from "./Vm.sol";
import {Witness} from "./Witness.sol";
import {World} from "./World.sol";

/// @dev The malicious operator: every key there is, any order of acts, and nothing that is anchored or past has changed.
contract OperatorTest is World {
    Operator private operator;
    Witness private witness;

    function setUp() external {
        witness = new Witness(anchors, keys);
        operator = new Operator(manager, anchors, keys, witness);
        uint64[5] memory roles =
            [manager.ADMIN_ROLE(), Roles.LOG_OPENER, Roles.LOG_PAUSER, Roles.LOG_CLOSER, Roles.KEY_REGISTRAR];
        for (uint256 i = 0; i < roles.length; i++) {
            accepts(admin, address(manager), abi.encodeCall(manager.grantRole, (roles[i], address(operator), 0)));
        }
        operator.opensALog(0, true, 0);
        operator.registersAnAgency(0);
        operator.addsAKey(0, 0, 0, 1100, 0);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(operator);
    }

    function invariant_no_size_shrinks_no_root_changes_no_validity_grows() external view {
        require(bytes(witness.fault()).length == 0, witness.fault());
    }

    function invariant_storage_equals_events() external view {
        require(witness.storageEqualsEvents(), "storage and events differ");
    }

    /// The invariants are worth nothing where nothing happens.
    function test_the_operator_can_anchor_and_retire() external {
        operator.growsALog(0, 5);
        operator.retiresAKey(0, 5001, 1);
        require(witness.anchorsSeen() == 1, "anchors");
        require(witness.retirementsSeen() == 1, "retirements");
        require(bytes(witness.fault()).length == 0, witness.fault());
        require(witness.storageEqualsEvents(), "storage and events differ");
    }
}

/// @dev Whoever holds every key there is: administrator of the AccessManager, all roles, anchorer of every log, controller of every
/// agency. The test runner calls its functions in any order with any arguments. Some are honest, so that there is something to
/// destroy. After each, a witness looks at what was written and logged.
contract Operator {
    Vm private constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    AccessManager private immutable manager;
    AnchorRegistry private immutable anchors;
    KeyRegistry private immutable keys;
    Witness private immutable witness;
    HostileAuthority private immutable hostile;

    constructor(AccessManager manager_, AnchorRegistry anchors_, KeyRegistry keys_, Witness witness_) {
        (manager, anchors, keys, witness) = (manager_, anchors_, keys_, witness_);
        hostile = new HostileAuthority(address(manager_));
    }

    /// Whether a call is accepted is not the point: what it does is. What a refused call logged on its way never happened.
    function tryCall(address target, bytes memory call) private {
        vm.record();
        vm.recordLogs();
        (bool accepted,) = target.call(call);
        if (accepted) witness.look();
    }

    // Honest acts.

    function opensALog(uint8 name, bool honest, bytes32 leaf) external {
        tryCall(
            address(anchors),
            abi.encodeCall(anchors.openLog, (originOf(name), address(this), honest ? leafOf(0) : leaf))
        );
    }

    function growsALog(uint256 which, uint8 more) external {
        bytes32 id = witness.someLog(which);
        (uint64 size,,,,) = anchors.head(id);
        uint64 newSize = size + (more % 16);
        if (size == 0 || newSize > 200) return;
        (bytes32 root, bytes32[] memory proof) = grown(size, newSize);
        tryCall(address(anchors), abi.encodeCall(anchors.anchor, (id, size, newSize, root, proof)));
    }

    function registersAnAgency(uint8 agency) external {
        tryCall(address(keys), abi.encodeCall(keys.registerAgency, (agencyOf(agency), "name", address(this))));
    }

    function addsAKey(uint8 agency, uint8 algorithm, uint8 jwk, uint40 validFrom, uint40 validUntil)
        external
    {
        addKey(agency, 1 + (algorithm % 6), jwk, near(validFrom), near(validUntil));
    }

    function retiresAKey(uint256 which, uint40 validUntil, uint8 reason) external {
        bytes32 keyId = witness.someKey(which);
        tryCall(address(keys), abi.encodeCall(keys.retireKey, (keyId, near(validUntil), reason % 11, 0)));
    }

    function waits(uint32 time) external {
        vm.warp(block.timestamp + (time % 1000));
    }

    // Acts that a role allows.

    function changesALog(uint256 which, uint8 act, bool paused) external {
        bytes32 id = witness.someLog(which);
        if (act % 8 == 0) tryCall(address(anchors), abi.encodeCall(anchors.closeLog, (id)));
        else if (act % 2 == 0) tryCall(address(anchors), abi.encodeCall(anchors.setPaused, (id, paused)));
        else tryCall(address(anchors), abi.encodeCall(anchors.setAnchorer, (id, address(this))));
    }

    function changesAController(uint8 agency, bool mine) external {
        address by = mine ? address(this) : address(hostile);
        tryCall(address(keys), abi.encodeCall(keys.setController, (agencyOf(agency), by)));
    }

    // Acts that must come to nothing.

    /// Another root at the head, before it, or beyond it, with the true proof or none, on whatever size.
    function forgesAnAnchor(uint256 which, uint64 oldSize, uint64 newSize, bytes32 root, bool proved)
        external
    {
        bytes32 id = witness.someLog(which);
        (uint64 size,,,,) = anchors.head(id);
        oldSize = oldSize % 4 == 0 ? 1 : size; // size 1 is anchored in every log
        newSize = newSize % 8 == 0 ? newSize : newSize % (size + 20);
        bytes32[] memory proof;
        if (proved && oldSize > 0 && oldSize <= newSize && newSize <= 200) {
            bytes32 trueRoot;
            (trueRoot, proof) = grown(oldSize, newSize);
            // A root that is true, but of another size than it is said to be.
            if (uint256(root) % 2 == 0) (root, newSize) = (trueRoot, newSize + 1);
        }
        tryCall(address(anchors), abi.encodeCall(anchors.anchor, (id, oldSize, newSize, root, proof)));
    }

    function sendsAnything(bool toKeys, uint8 selector, bytes calldata arguments) external {
        bytes4[15] memory selectors = [
            anchors.openLog.selector,
            anchors.setAnchorer.selector,
            anchors.setPaused.selector,
            anchors.closeLog.selector,
            anchors.anchor.selector,
            anchors.setAuthority.selector,
            keys.registerAgency.selector,
            keys.renameAgency.selector,
            keys.setController.selector,
            keys.addKey.selector,
            keys.retireKey.selector,
            bytes4(0),
            bytes4(0xffffffff),
            bytes4(keccak256("initialize()")),
            bytes4(keccak256("upgradeToAndCall(address,bytes)"))
        ];
        address target = toKeys ? address(keys) : address(anchors);
        tryCall(target, bytes.concat(selectors[selector % 15], arguments));
    }

    /// The same acts by way of the AccessManager, which then is the caller.
    function actsThroughTheManager(uint256 which, uint8 act, uint40 validUntil, bytes32 root) external {
        bytes32 id = witness.someLog(which);
        bytes32[] memory noProof;
        bytes[4] memory calls = [
            abi.encodeCall(anchors.anchor, (id, 1, 2, root, noProof)),
            abi.encodeCall(anchors.setPaused, (id, false)),
            abi.encodeCall(keys.retireKey, (witness.someKey(which), near(validUntil), 0, 0)),
            abi.encodeCall(keys.addKey, (agencyOf(act), 1, jwkOf(act), 0, near(validUntil), ""))
        ];
        address target = act % 4 < 2 ? address(anchors) : address(keys);
        tryCall(address(manager), abi.encodeCall(manager.execute, (target, calls[act % 4])));
    }

    /// Puts an authority of its own in place, which calls back in the middle of a call and allows everything; then puts it back.
    function replacesTheAuthority(uint256 which, uint8 act, uint40 outer, uint40 inner) external {
        address target = act % 2 == 0 ? address(anchors) : address(keys);
        tryCall(address(manager), abi.encodeCall(manager.updateAuthority, (target, address(hostile))));
        bytes32 id = witness.someLog(which);
        bytes32 keyId = witness.someKey(which);
        if (target == address(keys)) {
            // Without a controller, so that retiring has to ask the authority.
            hostile.prepare("");
            tryCall(address(keys), abi.encodeCall(keys.setController, (keys.keyOf(keyId).agency, address(0))));
            hostile.prepare(abi.encodeCall(keys.retireKey, (keyId, near(inner), 0, 0)));
            tryCall(address(keys), abi.encodeCall(keys.retireKey, (keyId, near(outer), 0, 0)));
            hostile.prepare(abi.encodeCall(keys.addKey, (agencyOf(act), 2, jwkOf(act), 0, near(inner), "")));
            addKey(act, 1, act, 0, near(outer));
        } else {
            hostile.prepare(abi.encodeCall(anchors.closeLog, (id)));
            tryCall(address(anchors), abi.encodeCall(anchors.setPaused, (id, false)));
            hostile.prepare(abi.encodeCall(anchors.openLog, (originOf(act), address(this), leafOf(1))));
            tryCall(address(anchors), abi.encodeCall(anchors.openLog, (originOf(act), address(this), leafOf(0))));
        }
        hostile.restore(target);
    }

    function readdsAKey(uint256 which, uint8 agency, uint8 jwk, uint40 validUntil) external {
        addKey(agency, uint8(1 + (which % 6)), jwk, 0, near(validUntil));
    }

    function addKey(uint8 agency, uint8 algorithm, uint8 jwk, uint40 validFrom, uint40 validUntil) private {
        tryCall(
            address(keys),
            abi.encodeCall(keys.addKey, (agencyOf(agency), algorithm, jwkOf(jwk), validFrom, validUntil, "proof"))
        );
    }

    /// Few names each, so that acts meet.
    function originOf(uint8 name) private pure returns (string memory) {
        return string(abi.encodePacked("log/", bytes1(uint8(97 + (name % 5)))));
    }

    function agencyOf(uint8 agency) private pure returns (bytes21) {
        return bytes21(bytes1(uint8(65 + (agency % 4))));
    }

    function jwkOf(uint8 jwk) private pure returns (bytes memory) {
        return abi.encodePacked("jwk", jwk % 12);
    }

    /// A time around now, or no end.
    function near(uint40 time) private view returns (uint40) {
        return time % 8 == 0 ? type(uint40).max - time : uint40(block.timestamp - 1000 + (time % 20_000));
    }

    function leafOf(uint256 index) private pure returns (bytes32) {
        return Twin.leafHash(abi.encodePacked(index));
    }

    function grown(uint64 oldSize, uint64 newSize) private pure returns (bytes32 root, bytes32[] memory proof) {
        bytes32[] memory leaves = new bytes32[](newSize);
        for (uint256 i = 0; i < newSize; i++) leaves[i] = leafOf(i);
        return (Twin.root(leaves, 0, newSize), Twin.consistencyProof(leaves, oldSize, newSize));
    }
}
