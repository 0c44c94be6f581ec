// SPDX-License-Identifier: EUPL-1.2
pragma solidity 0.8.37;

import {Rfc9162} from "../../contracts/Rfc9162.sol";
import {ImaginedTree} from "./ImaginedTree.sol";
import {Twin} from "./Twin.sol";
import {Vm} from "./Vm.sol";

/// @dev Gives the library's internal functions calldata.
contract Checker {
    function isConsistent(uint256 oldSize, bytes32 oldRoot, uint256 newSize, bytes32 newRoot, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        return Rfc9162.isConsistent(oldSize, oldRoot, newSize, newRoot, proof);
    }

    function isIncluded(uint256 index, uint256 size, bytes32 leaf, bytes32 root, bytes32[] calldata path)
        external
        view
        returns (bool)
    {
        return Rfc9162.isIncluded(index, size, leaf, root, path);
    }
}

/// @dev The assembly beside its twin at any size: true proofs, true proofs with a change, true proofs under other sizes, and noise.
contract Rfc9162Test {
    Vm private constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    address private constant sha256Precompile = address(2);
    Checker private checker;

    function setUp() external {
        checker = new Checker();
    }

    function testFuzz_accepts_a_true_consistency_proof(uint64 a, uint64 b, uint8 shift, bytes32 seed) external view {
        (uint256 oldSize, uint256 newSize) = sizesOf(a, b, shift);
        (bytes32 oldRoot, bytes32 newRoot, bytes32[] memory proof) = ImaginedTree.consistency(seed, oldSize, newSize);

        require(bothSay(oldSize, oldRoot, newSize, newRoot, proof), "refused");
    }

    function testFuzz_refuses_a_changed_consistency_proof(
        uint64 a,
        uint64 b,
        uint8 shift,
        bytes32 seed,
        uint256 place,
        uint8 bit
    ) external view {
        (uint256 oldSize, uint256 newSize) = sizesOf(a, b, shift);
        (bytes32 oldRoot, bytes32 newRoot, bytes32[] memory proof) = ImaginedTree.consistency(seed, oldSize, newSize);
        place %= proof.length;

        require(!bothSay(oldSize, oldRoot, newSize, newRoot, Twin.flip(proof, place, bit)), "flipped");
        require(!bothSay(oldSize, oldRoot, newSize, newRoot, Twin.remove(proof, place)), "dropped");
        require(!bothSay(oldSize, oldRoot, newSize, newRoot, Twin.insert(proof, place, seed)), "added");
        require(!bothSay(oldSize, oldRoot, newSize, newRoot, Twin.append(proof, seed)), "added at the end");
        require(!bothSay(oldSize, oldRoot ^ bytes32(1 << uint256(bit)), newSize, newRoot, proof), "old root");
        require(!bothSay(oldSize, oldRoot, newSize, newRoot ^ bytes32(1 << uint256(bit)), proof), "new root");
    }

    function testFuzz_agrees_with_the_twin_on_noise(
        uint64 a,
        uint64 b,
        uint8 shift,
        bytes32 oldRoot,
        bytes32 newRoot,
        bytes32[] calldata proof
    ) external view {
        (uint256 oldSize, uint256 newSize) = sizesOf(a, b, shift);

        require(!bothSay(oldSize, oldRoot, newSize, newRoot, proof), "noise is accepted");
        require(!bothSayIncluded(oldSize, newSize, oldRoot, newRoot, proof), "noise is accepted");
    }

    /// A consistency proof does not bind the sizes: many hold for others too, and then both must say so.
    function test_agrees_with_the_twin_on_every_proof_under_every_other_pair_of_sizes_to_17() external view {
        uint256 alsoTrue = 0;
        for (uint256 newSize = 2; newSize <= 17; newSize++) {
            for (uint256 oldSize = 1; oldSize < newSize; oldSize++) alsoTrue += this.underOtherSizes(oldSize, newSize);
        }
        require(alsoTrue > 0, "the comparison has never seen a proof that holds for other sizes");
    }

    function underOtherSizes(uint256 trueOldSize, uint256 trueNewSize) external view returns (uint256 alsoTrue) {
        (bytes32 oldRoot, bytes32 newRoot, bytes32[] memory proof) =
            ImaginedTree.consistency(0, trueOldSize, trueNewSize);
        for (uint256 newSize = 2; newSize <= 18; newSize++) {
            for (uint256 oldSize = 1; oldSize < newSize; oldSize++) {
                bool holds = bothSay(oldSize, oldRoot, newSize, newRoot, proof);
                if (oldSize == trueOldSize && newSize == trueNewSize) require(holds, "a true proof is refused");
                else if (holds) alsoTrue++;
            }
        }
    }

    function testFuzz_accepts_a_true_inclusion_proof(uint64 a, uint64 b, uint8 shift, bytes32 seed) external view {
        (uint256 index, uint256 size) = sizesOf(a, b, shift);
        (bytes32 leaf, bytes32 root, bytes32[] memory path) = ImaginedTree.inclusion(seed, index, size);

        require(bothSayIncluded(index, size, leaf, root, path), "refused");
    }

    function testFuzz_refuses_a_changed_inclusion_proof(
        uint64 a,
        uint64 b,
        uint8 shift,
        bytes32 seed,
        uint256 place,
        uint8 bit
    ) external view {
        (uint256 index, uint256 size) = sizesOf(a, b, shift);
        (bytes32 leaf, bytes32 root, bytes32[] memory path) = ImaginedTree.inclusion(seed, index, size);
        place %= path.length;

        require(!bothSayIncluded(index, size, leaf, root, Twin.flip(path, place, bit)), "flipped");
        require(!bothSayIncluded(index, size, leaf, root, Twin.remove(path, place)), "dropped");
        require(!bothSayIncluded(index, size, leaf, root, Twin.insert(path, place, seed)), "added");
        require(!bothSayIncluded(index, size, leaf, root, Twin.append(path, seed)), "added at the end");
        require(!bothSayIncluded(index, size, leaf ^ bytes32(1 << uint256(bit)), root, path), "leaf");
        require(!bothSayIncluded(index, size, leaf, root ^ bytes32(1 << uint256(bit)), path), "root");
        require(!bothSayIncluded(index - 1, size, leaf, root, path), "index");
    }

    /// The walk reads on past the end of a short proof, where a caller may have put the hash that is missing.
    function testFuzz_refuses_a_proof_whose_last_hash_stands_behind_it(uint64 a, uint64 b, uint8 shift, bytes32 seed)
        external
        view
    {
        (uint256 oldSize, uint256 newSize) = sizesOf(a, b, shift);
        (bytes32 oldRoot, bytes32 newRoot, bytes32[] memory proof) = ImaginedTree.consistency(seed, oldSize, newSize);
        uint256 last = proof.length - 1;
        bytes32[] memory short = Twin.remove(proof, last);
        bytes memory call = abi.encodeCall(checker.isConsistent, (oldSize, oldRoot, newSize, newRoot, short));
        require(!answerTo(bytes.concat(call, proof[last])), "consistency");

        (bytes32 leaf, bytes32 root, bytes32[] memory path) = ImaginedTree.inclusion(seed, oldSize, newSize);
        last = path.length - 1;
        short = Twin.remove(path, last);
        call = abi.encodeCall(checker.isIncluded, (oldSize, newSize, leaf, root, short));
        require(!answerTo(bytes.concat(call, path[last])), "inclusion");
    }

    /// A call that fails leaves in memory what lay there. Here each call in turn fails, and the roots are what would come out if
    /// nobody looked whether it did. From 3 to 4 there are three: new tree, old tree, new tree.
    function test_refuses_a_proof_when_any_call_of_the_precompile_fails() external {
        bytes32[] memory proof = new bytes32[](3);
        (proof[0], proof[1], proof[2]) = (keccak256("0"), keccak256("1"), keccak256("2"));
        bytes32 joined = Twin.nodeHash(proof[0], proof[1]);
        bytes32 oldRoot = Twin.nodeHash(proof[2], proof[0]);
        bytes32 newRoot = Twin.nodeHash(proof[2], joined);
        bytes32 strayRoot = Twin.nodeHash(proof[2], proof[1]);
        require(checker.isConsistent(3, oldRoot, 4, newRoot, proof), "the proof is true");

        failsToHash(proof[0], proof[1]);
        require(!checker.isConsistent(3, oldRoot, 4, strayRoot, proof), "the new tree's, right of the edge");
        failsToHash(proof[2], proof[0]);
        require(!checker.isConsistent(3, proof[0], 4, newRoot, proof), "the old tree's");
        failsToHash(proof[2], joined);
        require(!checker.isConsistent(3, oldRoot, 4, joined, proof), "the new tree's, left of the edge");

        bytes32[] memory path = new bytes32[](1);
        path[0] = proof[0];
        failsToHash(path[0], proof[1]);
        require(!checker.isIncluded(1, 2, proof[1], proof[1], path), "a leaf's");
        vm.clearMockedCalls();
    }

    function failsToHash(bytes32 left, bytes32 right) private {
        vm.clearMockedCalls();
        vm.mockCallRevert(sha256Precompile, abi.encodePacked(bytes1(0x01), left, right), "");
    }

    function bothSay(uint256 oldSize, bytes32 oldRoot, uint256 newSize, bytes32 newRoot, bytes32[] memory proof)
        private
        view
        returns (bool verdict)
    {
        verdict = checker.isConsistent(oldSize, oldRoot, newSize, newRoot, proof);
        require(
            verdict == Twin.isConsistent(oldSize, oldRoot, newSize, newRoot, proof), "the twin says otherwise"
        );
    }

    function bothSayIncluded(uint256 index, uint256 size, bytes32 leaf, bytes32 root, bytes32[] memory path)
        private
        view
        returns (bool verdict)
    {
        verdict = checker.isIncluded(index, size, leaf, root, path);
        require(verdict == Twin.isIncluded(index, size, leaf, root, path), "the twin says otherwise");
    }

    function answerTo(bytes memory call) private view returns (bool) {
        (bool ok, bytes memory answer) = address(checker).staticcall(call);
        require(ok, "reverted");
        return abi.decode(answer, (bool));
    }

    /// Two sizes (or an index and a size), the first at least 1 and smaller than the second, of any order of magnitude.
    function sizesOf(uint64 a, uint64 b, uint8 shift) private pure returns (uint256 smaller, uint256 larger) {
        uint256 scale = shift % 63;
        uint256 x = a >> scale;
        uint256 y = b >> scale;
        (smaller, larger) = x < y ? (x, y) : (y, x);
        if (smaller == 0) smaller = 1;
        if (larger <= smaller) larger = smaller + 1;
    }
}
