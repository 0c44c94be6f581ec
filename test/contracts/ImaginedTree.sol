// SPDX-License-Identifier: EUPL-1.2
pragma solidity 0.8.37;

import {Twin} from "./Twin.sol";

/// @dev Proofs for trees too large to have leaves. A perfect subtree that `cut` does not fall into is never looked into, so its hash
/// is made up; every other node is the hash of its children, as RFC 9162 says.
library ImaginedTree {
    struct Tree {
        bytes32 seed;
        uint256 cut;
    }

    /// Two roots of one imagined log and the consistency proof between them. Requires 1 <= oldSize < newSize.
    function consistency(bytes32 seed, uint256 oldSize, uint256 newSize)
        internal
        pure
        returns (bytes32 oldRoot, bytes32 newRoot, bytes32[] memory proof)
    {
        Tree memory tree = Tree(seed, oldSize);
        return (hash(tree, 0, oldSize), hash(tree, 0, newSize), subproof(tree, oldSize, 0, newSize, true));
    }

    /// A leaf, the root and the path between them. Requires index < size.
    function inclusion(bytes32 seed, uint256 index, uint256 size)
        internal
        pure
        returns (bytes32 leaf, bytes32 root, bytes32[] memory path)
    {
        // No cut: what hangs beside the path is made up, and `rootOver` hashes the path itself.
        Tree memory tree = Tree(seed, 0);
        leaf = hash(tree, index, 1);
        root = rootOver(tree, index, 0, size);
        path = inclusionPath(tree, index, 0, size);
    }

    function hash(Tree memory tree, uint256 start, uint256 size) private pure returns (bytes32) {
        bool cut = start < tree.cut && tree.cut < start + size;
        if (size & (size - 1) == 0 && !cut) return sha256(abi.encode(tree.seed, start, size));
        uint256 k = Twin.splitPoint(size);
        return Twin.nodeHash(hash(tree, start, k), hash(tree, start + k, size - k));
    }

    /// The hash of a subtree that holds the leaf at `index`, built up from that leaf.
    function rootOver(Tree memory tree, uint256 index, uint256 start, uint256 size) private pure returns (bytes32) {
        if (size == 1) return hash(tree, start, 1);
        uint256 k = Twin.splitPoint(size);
        return index < start + k
            ? Twin.nodeHash(rootOver(tree, index, start, k), hash(tree, start + k, size - k))
            : Twin.nodeHash(hash(tree, start, k), rootOver(tree, index, start + k, size - k));
    }

    function inclusionPath(Tree memory tree, uint256 index, uint256 start, uint256 size)
        private
        pure
        returns (bytes32[] memory)
    {
        if (size == 1) return new bytes32[](0);
        uint256 k = Twin.splitPoint(size);
        return index < start + k
            ? Twin.append(inclusionPath(tree, index, start, k), hash(tree, start + k, size - k))
            : Twin.append(inclusionPath(tree, index, start + k, size - k), hash(tree, start, k));
    }

    function subproof(Tree memory tree, uint256 m, uint256 start, uint256 size, bool complete)
        private
        pure
        returns (bytes32[] memory)
    {
        if (m == size) {
            return complete ? new bytes32[](0) : Twin.append(new bytes32[](0), hash(tree, start, size));
        }
        uint256 k = Twin.splitPoint(size);
        return m <= k
            ? Twin.append(subproof(tree, m, start, k, complete), hash(tree, start + k, size - k))
            : Twin.append(subproof(tree, m - k, start + k, size - k, false), hash(tree, start, k));
    }
}
