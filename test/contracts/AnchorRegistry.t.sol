// SPDX-License-Identifier: EUPL-1.2
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import {AnchorRegistry} from "../../contracts/AnchorRegistry.sol";
import {IAnchorRegistry, MAX_SIZE} from "../../contracts/IAnchorRegistry.sol";
import {ImaginedTree} from "./ImaginedTree.sol";
import {Twin} from "./Twin.sol";
import {Vm} from "./Vm.sol";
import {World} from "./World.sol";

contract AnchorRegistryTest is World {
    bytes32 private logId;

    function setUp() external {
        logId = openedLog(origin, anchorer);
    }

    // Opening.

    function test_a_log_opens_with_its_genesis_leaf_as_the_anchor_of_size_1() external {
        bytes32 id = sha256(abi.encodePacked(block.chainid, address(anchors), "other.example/1"));
        vm.recordLogs();
        bytes memory answer = accepts(opener, address(anchors), openLogCall("other.example/1", leafOf(7)));
        Vm.Log[] memory logs = vm.getRecordedLogs();

        require(abi.decode(answer, (bytes32)) == id, "log id");
        headIs(id, 1, leafOf(7), anchorer, false, false);
        require(anchors.rootAt(id, 1) == leafOf(7), "root at 1");
        require(logs.length == 2, "want two events");
        isEvent(
            logs[0],
            address(anchors),
            topics2(IAnchorRegistry.LogOpened.selector, id),
            abi.encode("other.example/1", leafOf(7))
        );
        isEvent(logs[1], address(anchors), topics2(IAnchorRegistry.AnchorerSet.selector, id), abi.encode(anchorer));
    }

    function test_a_log_has_another_id_on_another_chain() external {
        vm.chainId(2026);
        bytes32 id = openedLog(origin, anchorer);
        require(id == sha256(abi.encodePacked(uint256(2026), address(anchors), origin)), "log id");
        require(id != logId, "same id on two chains");
        vm.chainId(31337);
    }

    function test_an_origin_is_1_to_128_of_its_characters() external {
        bytes memory long = new bytes(128);
        for (uint256 i = 0; i < 128; i++) long[i] = "z";
        openedLog(string(long), anchorer);
        openedLog("a", anchorer);
        openedLog("az09.:/_-", anchorer);

        refusesOrigin("");
        refusesOrigin(string.concat(string(long), "z"));
        for (uint256 c = 0; c < 256; c++) {
            bytes memory text = abi.encodePacked("x", bytes1(uint8(c)), "x");
            bool allowed = (c >= 97 && c <= 122) || (c >= 48 && c <= 57) || c == 46 || c == 58 || c == 47 || c == 95
                || c == 45;
            if (allowed) openedLog(string(text), anchorer);
            else refusesOrigin(string(text));
        }
    }

    function refusesOrigin(string memory text) private {
        refuses(
            opener,
            address(anchors),
            openLogCall(text, leafOf(0)),
            abi.encodeWithSelector(IAnchorRegistry.AnchorRegistryOriginMalformed.selector, text)
        );
    }

    function test_an_origin_serves_once_even_when_its_log_is_closed() external {
        bytes memory refusal = abi.encodeWithSelector(IAnchorRegistry.AnchorRegistryLogAlreadyOpen.selector, logId);
        refuses(opener, address(anchors), openLogCall(origin, leafOf(1)), refusal);
        accepts(closer, address(anchors), abi.encodeCall(anchors.closeLog, (logId)));
        refuses(opener, address(anchors), openLogCall(origin, leafOf(1)), refusal);
    }

    function test_a_log_does_not_open_with_a_zero_root() external {
        bytes32 id = sha256(abi.encodePacked(block.chainid, address(anchors), "zero"));
        refuses(
            opener,
            address(anchors),
            openLogCall("zero", 0),
            abi.encodeWithSelector(IAnchorRegistry.AnchorRegistryRootZero.selector, id, 1)
        );
    }

    function test_a_registry_does_not_deploy_where_the_precompile_does_not_give_sha256() external {
        bytes32 wrong = bytes32(uint256(1));
        vm.mockCall(address(2), "", abi.encode(wrong));
        bytes32 wanted = 0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad;
        try new AnchorRegistry(address(manager)) {
            revert("deployed");
        } catch (bytes memory reason) {
            bytes memory refusal =
                abi.encodeWithSelector(IAnchorRegistry.AnchorRegistrySha256Wrong.selector, wrong, wanted);
            require(keccak256(reason) == keccak256(refusal), hexOf(reason));
        }
        vm.clearMockedCalls();
    }

    // State.

    function test_setting_the_anchorer_takes_effect_at_once() external {
        logsOnly(
            opener,
            address(anchors),
            abi.encodeCall(anchors.setAnchorer, (logId, stranger)),
            topics2(IAnchorRegistry.AnchorerSet.selector, logId),
            abi.encode(stranger)
        );
        headIs(logId, 1, leafOf(0), stranger, false, false);
        refuses(
            anchorer,
            address(anchors),
            trueAnchorCall(1, 2),
            abi.encodeWithSelector(
                IAnchorRegistry.AnchorRegistryNotAnchorer.selector, logId, anchorer, stranger
            )
        );
        accepts(stranger, address(anchors), trueAnchorCall(1, 2));
    }

    function test_a_paused_log_accepts_nothing_until_it_is_resumed() external {
        logsOnly(
            pauser,
            address(anchors),
            abi.encodeCall(anchors.setPaused, (logId, true)),
            topics2(IAnchorRegistry.PausedSet.selector, logId),
            abi.encode(true)
        );
        headIs(logId, 1, leafOf(0), anchorer, true, false);
        bytes memory refusal = abi.encodeWithSelector(IAnchorRegistry.AnchorRegistryLogPaused.selector, logId);
        refuses(anchorer, address(anchors), trueAnchorCall(1, 2), refusal);
        refuses(anchorer, address(anchors), trueAnchorCall(1, 1), refusal);

        logsOnly(
            pauser,
            address(anchors),
            abi.encodeCall(anchors.setPaused, (logId, false)),
            topics2(IAnchorRegistry.PausedSet.selector, logId),
            abi.encode(false)
        );
        accepts(anchorer, address(anchors), trueAnchorCall(1, 2));
    }

    function test_a_closed_log_keeps_its_anchors_and_accepts_nothing_more() external {
        bytes32 root = anchored(logId, 1, 5);
        logsOnly(
            closer,
            address(anchors),
            abi.encodeCall(anchors.closeLog, (logId)),
            topics2(IAnchorRegistry.LogClosed.selector, logId),
            abi.encode(5, root)
        );
        headIs(logId, 5, root, anchorer, false, true);
        require(anchors.rootAt(logId, 1) == leafOf(0) && anchors.rootAt(logId, 5) == root, "roots");

        bytes memory refusal = abi.encodeWithSelector(IAnchorRegistry.AnchorRegistryLogClosed.selector, logId);
        refuses(anchorer, address(anchors), trueAnchorCall(5, 6), refusal);
        refuses(anchorer, address(anchors), trueAnchorCall(5, 5), refusal);
        refuses(opener, address(anchors), abi.encodeCall(anchors.setAnchorer, (logId, stranger)), refusal);
        refuses(pauser, address(anchors), abi.encodeCall(anchors.setPaused, (logId, true)), refusal);
        refuses(closer, address(anchors), abi.encodeCall(anchors.closeLog, (logId)), refusal);
    }

    function test_an_unknown_log_has_no_state_and_accepts_nothing() external {
        bytes32 none = keccak256("none");
        headIs(none, 0, 0, address(0), false, false);
        require(anchors.rootAt(none, 0) == 0 && anchors.rootAt(none, 1) == 0, "roots");

        bytes memory refusal = abi.encodeWithSelector(IAnchorRegistry.AnchorRegistryLogNotOpen.selector, none);
        bytes32[] memory noProof;
        // Also from the zero address, which is what an unknown log's anchorer reads as.
        bytes memory call = abi.encodeCall(anchors.anchor, (none, 0, 1, leafOf(0), noProof));
        refuses(anchorer, address(anchors), call, refusal);
        refuses(address(0), address(anchors), call, refusal);
        refuses(opener, address(anchors), abi.encodeCall(anchors.setAnchorer, (none, anchorer)), refusal);
        refuses(pauser, address(anchors), abi.encodeCall(anchors.setPaused, (none, true)), refusal);
        refuses(closer, address(anchors), abi.encodeCall(anchors.closeLog, (none)), refusal);
    }

    function test_each_restricted_function_is_for_its_role_only() external {
        bytes[4] memory calls = [
            openLogCall("roles", leafOf(0)),
            abi.encodeCall(anchors.setAnchorer, (logId, anchorer)),
            abi.encodeCall(anchors.setPaused, (logId, false)),
            abi.encodeCall(anchors.closeLog, (logId))
        ];
        address[4] memory holders = [opener, opener, pauser, closer];
        address[7] memory everybody = [opener, pauser, closer, registrar, anchorer, stranger, admin];
        for (uint256 i = 0; i < calls.length; i++) {
            for (uint256 j = 0; j < everybody.length; j++) {
                if (everybody[j] == holders[i]) continue;
                refuses(
                    everybody[j],
                    address(anchors),
                    calls[i],
                    abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, everybody[j])
                );
            }
            accepts(holders[i], address(anchors), calls[i]);
        }
    }

    // Anchoring.

    function test_an_anchor_moves_the_head_and_keeps_the_roots() external {
        bytes32[] memory leaves = leavesOf(5);
        logsOnly(
            anchorer,
            address(anchors),
            trueAnchorCall(1, 3),
            topics3(IAnchorRegistry.Anchored.selector, logId, bytes32(uint256(3))),
            abi.encode(Twin.root(leaves, 0, 3), 1)
        );
        headIs(logId, 3, Twin.root(leaves, 0, 3), anchorer, false, false);
        anchored(logId, 3, 5);
        headIs(logId, 5, Twin.root(leaves, 0, 5), anchorer, false, false);
        require(anchors.rootAt(logId, 1) == leafOf(0), "root at 1");
        require(anchors.rootAt(logId, 2) == 0, "root at 2");
        require(anchors.rootAt(logId, 3) == Twin.root(leaves, 0, 3), "root at 3");
        require(anchors.rootAt(logId, 4) == 0, "root at 4");
    }

    function test_only_the_anchorer_anchors() external {
        address[6] memory others = [opener, pauser, closer, registrar, admin, stranger];
        for (uint256 i = 0; i < others.length; i++) {
            refuses(
                others[i],
                address(anchors),
                trueAnchorCall(1, 2),
                abi.encodeWithSelector(
                    IAnchorRegistry.AnchorRegistryNotAnchorer.selector, logId, others[i], anchorer
                )
            );
        }
    }

    function test_an_anchor_that_stands_is_accepted_again_and_changes_nothing() external {
        anchored(logId, 1, 3);
        anchored(logId, 3, 5);
        vm.recordLogs();
        // The head, older anchors, and the genesis, whatever oldSize and proof come with them.
        accepts(anchorer, address(anchors), trueAnchorCall(3, 5));
        accepts(anchorer, address(anchors), trueAnchorCall(1, 3));
        accepts(anchorer, address(anchors), trueAnchorCall(1, 1));
        bytes32[] memory noProof;
        accepts(anchorer, address(anchors), anchorCall(99, 5, Twin.root(leavesOf(5), 0, 5), noProof));

        require(vm.getRecordedLogs().length == 0, "an event");
        headIs(logId, 5, Twin.root(leavesOf(5), 0, 5), anchorer, false, false);
    }

    function test_another_root_at_an_anchored_size_is_a_fork() external {
        anchored(logId, 1, 3);
        anchored(logId, 3, 5);
        uint64[3] memory sizes = [uint64(1), 3, 5];
        bytes32[] memory noProof;
        for (uint256 i = 0; i < sizes.length; i++) {
            refuses(
                anchorer,
                address(anchors),
                anchorCall(5, sizes[i], keccak256("fork"), noProof),
                abi.encodeWithSelector(
                    IAnchorRegistry.AnchorRegistryFork.selector,
                    logId,
                    sizes[i],
                    keccak256("fork"),
                    Twin.root(leavesOf(5), 0, sizes[i])
                )
            );
        }
    }

    function test_an_anchor_must_build_on_the_head() external {
        anchored(logId, 1, 5);
        uint64[4] memory others = [uint64(1), 4, 6, 0];
        for (uint256 i = 0; i < others.length; i++) {
            bytes32[] memory noProof;
            refuses(
                anchorer,
                address(anchors),
                anchorCall(others[i], 7, Twin.root(leavesOf(7), 0, 7), noProof),
                abi.encodeWithSelector(
                    IAnchorRegistry.AnchorRegistryOldSizeNotLast.selector, logId, others[i], 5
                )
            );
        }
    }

    function test_a_size_never_shrinks() external {
        anchored(logId, 1, 5);
        bytes32[] memory noProof;
        for (uint64 size = 0; size < 5; size++) {
            if (size == 1) continue;
            refuses(
                anchorer,
                address(anchors),
                anchorCall(5, size, keccak256("smaller"), noProof),
                abi.encodeWithSelector(IAnchorRegistry.AnchorRegistrySizeNotGrowing.selector, logId, size, 5)
            );
        }
    }

    function test_a_zero_root_is_refused_at_any_size() external {
        bytes32[] memory noProof;
        for (uint64 size = 0; size < 4; size++) {
            refuses(
                anchorer,
                address(anchors),
                anchorCall(1, size, 0, noProof),
                abi.encodeWithSelector(IAnchorRegistry.AnchorRegistryRootZero.selector, logId, size)
            );
        }
    }

    function test_sizes_end_at_2_to_the_53_less_1() external {
        (bytes32 oldRoot, bytes32 newRoot, bytes32[] memory proof) = ImaginedTree.consistency(0, 1, MAX_SIZE);
        bytes32 id = openedWith("large", oldRoot);
        accepts(anchorer, address(anchors), abi.encodeCall(anchors.anchor, (id, 1, MAX_SIZE, newRoot, proof)));
        headIs(id, MAX_SIZE, newRoot, anchorer, false, false);

        (oldRoot, newRoot, proof) = ImaginedTree.consistency(0, 1, MAX_SIZE + 1);
        id = openedWith("larger", oldRoot);
        refuses(
            anchorer,
            address(anchors),
            abi.encodeCall(anchors.anchor, (id, 1, MAX_SIZE + 1, newRoot, proof)),
            abi.encodeWithSelector(
                IAnchorRegistry.AnchorRegistrySizeTooLarge.selector, id, MAX_SIZE + 1, MAX_SIZE
            )
        );
    }

    function test_without_a_proof_nothing_is_anchored() external {
        anchored(logId, 1, 4);
        bytes32[] memory noProof;
        bytes32 root = Twin.root(leavesOf(6), 0, 6);
        refuses(
            anchorer,
            address(anchors),
            anchorCall(4, 6, root, noProof),
            abi.encodeWithSelector(
                IAnchorRegistry.AnchorRegistryNotConsistent.selector,
                logId,
                6,
                root,
                4,
                Twin.root(leavesOf(4), 0, 4)
            )
        );
    }

    function headIs(bytes32 id, uint64 size, bytes32 root, address by, bool paused, bool closed) private view {
        (uint64 gotSize, bytes32 gotRoot, address gotBy, bool gotPaused, bool gotClosed) = anchors.head(id);
        require(gotSize == size, "head: size");
        require(gotRoot == root, "head: root");
        require(gotBy == by, "head: anchorer");
        require(gotPaused == paused, "head: paused");
        require(gotClosed == closed, "head: closed");
    }

    function openedWith(string memory name, bytes32 genesisLeaf) private returns (bytes32) {
        return abi.decode(accepts(opener, address(anchors), openLogCall(name, genesisLeaf)), (bytes32));
    }

    function openLogCall(string memory name, bytes32 genesisLeaf) private view returns (bytes memory) {
        return abi.encodeCall(anchors.openLog, (name, anchorer, genesisLeaf));
    }

    function anchorCall(uint64 oldSize, uint64 newSize, bytes32 root, bytes32[] memory proof)
        private
        view
        returns (bytes memory)
    {
        return abi.encodeCall(anchors.anchor, (logId, oldSize, newSize, root, proof));
    }

    function trueAnchorCall(uint64 oldSize, uint64 newSize) private view returns (bytes memory) {
        bytes32[] memory leaves = leavesOf(newSize);
        return anchorCall(
            oldSize, newSize, Twin.root(leaves, 0, newSize), Twin.consistencyProof(leaves, oldSize, newSize)
        );
    }
}
