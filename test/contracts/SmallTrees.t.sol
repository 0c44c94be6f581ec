// SPDX-License-Identifier: EUPL-1.2
pragma solidity 0.8.37;

import {IAnchorRegistry} from "../../contracts/IAnchorRegistry.sol";
import {Twin} from "./Twin.sol";
import {World} from "./World.sol";

/// @dev Every tree to 66 leaves, through the registry itself: each proof is accepted, and each with a hash flipped, dropped or added
/// is refused. What needs memory is an external call to itself, which gives the memory back.
contract SmallTreesTest is World {
    uint64 private constant most = 66;
    bytes32[] private leaves;
    bytes32[] private roots;

    function setUp() external {
        leaves = leavesOf(most);
        roots.push(0);
        for (uint256 size = 1; size <= most; size++) roots.push(Twin.root(leaves, 0, size));
    }

    function test_every_pair_of_sizes_to_66_is_anchored_with_its_proof_only() external {
        for (uint64 oldSize = 1; oldSize <= most; oldSize++) {
            for (uint64 newSize = oldSize; newSize <= most; newSize++) this.anchorsPair(oldSize, newSize);
        }
    }

    function anchorsPair(uint64 oldSize, uint64 newSize) external {
        bytes32 id = openedLog(hexOf(abi.encodePacked(oldSize, newSize)), address(this));
        if (oldSize > 1) {
            anchors.anchor(id, 1, oldSize, roots[oldSize], Twin.consistencyProof(leaves, 1, oldSize));
        }
        bytes32[] memory proof = Twin.consistencyProof(leaves, oldSize, newSize);
        bytes32 root = roots[newSize];
        if (oldSize == newSize) {
            refusesFork(id, newSize, proof);
        } else {
            bytes memory refusal = abi.encodeWithSelector(
                IAnchorRegistry.AnchorRegistryNotConsistent.selector, id, newSize, root, oldSize, roots[oldSize]
            );
            for (uint256 place = 0; place < proof.length; place++) {
                refusesProof(id, oldSize, newSize, Twin.flip(proof, place, 31 * place + newSize), refusal);
                refusesProof(id, oldSize, newSize, Twin.remove(proof, place), refusal);
                refusesProof(id, oldSize, newSize, Twin.insert(proof, place, proof[place]), refusal);
            }
            refusesProof(id, oldSize, newSize, Twin.append(proof, root), refusal);
        }

        anchors.anchor(id, oldSize, newSize, root, proof);
        (uint64 size, bytes32 headRoot,,,) = anchors.head(id);
        require(size == newSize && headRoot == root, "head");
        require(anchors.rootAt(id, oldSize) == roots[oldSize], "old root");
        require(anchors.rootAt(id, newSize) == root, "new root");
    }

    function refusesProof(
        bytes32 id,
        uint64 oldSize,
        uint64 newSize,
        bytes32[] memory proof,
        bytes memory refusal
    ) private {
        bytes memory call = abi.encodeCall(anchors.anchor, (id, oldSize, newSize, roots[newSize], proof));
        (bool accepted, bytes memory answer) = address(anchors).call(call);
        require(!accepted && keccak256(answer) == keccak256(refusal), "want it refused as not consistent");
    }

    function refusesFork(bytes32 id, uint64 size, bytes32[] memory proof) private {
        refuses(
            address(this),
            address(anchors),
            abi.encodeCall(anchors.anchor, (id, size, size, ~roots[size], proof)),
            abi.encodeWithSelector(
                IAnchorRegistry.AnchorRegistryFork.selector, id, size, ~roots[size], roots[size]
            )
        );
    }

    function test_every_leaf_of_every_tree_to_66_is_included_by_its_path_only() external {
        bytes32 id = openedLog("every-size", address(this));
        for (uint64 size = 1; size <= most; size++) {
            if (size > 1) this.grows(id, size);
            for (uint64 index = 0; index < size; index++) this.includes(id, size, index);
        }
    }

    function grows(bytes32 id, uint64 size) external {
        anchors.anchor(id, size - 1, size, roots[size], Twin.consistencyProof(leaves, size - 1, size));
    }

    function includes(bytes32 id, uint64 size, uint64 index) external view {
        bytes32 leaf = leaves[index];
        bytes32[] memory path = Twin.inclusionPath(leaves, index, 0, size);
        require(anchors.verifyInclusion(id, size, index, leaf, path), "a true path is refused");
        require(Twin.isIncluded(index, size, leaf, roots[size], path), "the twin refuses a true path");

        for (uint256 place = 0; place < path.length; place++) {
            bytes32[] memory flipped = Twin.flip(path, place, 37 * place + index);
            require(!anchors.verifyInclusion(id, size, index, leaf, flipped), "flipped");
            require(!anchors.verifyInclusion(id, size, index, leaf, Twin.remove(path, place)), "dropped");
            bytes32[] memory longer = Twin.insert(path, place, path[place]);
            require(!anchors.verifyInclusion(id, size, index, leaf, longer), "added");
        }
        require(!anchors.verifyInclusion(id, size, index, leaf, Twin.append(path, leaf)), "added at the end");
        require(!anchors.verifyInclusion(id, size, index, ~leaf, path), "another leaf");
        for (uint64 other = 0; other <= size; other++) {
            if (other != index) require(!anchors.verifyInclusion(id, size, other, leaf, path), "another index");
        }
    }
}
