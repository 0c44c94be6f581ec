// SPDX-License-Identifier: EUPL-1.2
pragma solidity 0.8.37;

/// @title The two proof checks of RFC 9162 (Certificate Transparency 2.0), over SHA-256.
/// @notice A leaf's hash is SHA-256(0x00 ‖ entry), a node's is SHA-256(0x01 ‖ left ‖ right). A tree of n > 1 leaves is a node over
/// the first k leaves and the rest, k being the largest power of two below n. Its shape follows from its size, and so does the
/// number of hashes in a proof: both checks walk by the sizes alone, and compare at the end how far they have read.
/// @dev Both walks go up, level by level, from a leaf to the root, with one node in hand. Level k is known by `bit` = 2^k; the node in
/// hand is number index / 2^k of its level, and the level's last is number last / 2^k. At each level below the root, one of three:
/// - the number is odd: the node is a right child, and the proof holds the left one;
/// - it is even and not the level's last: the node is a left child, and the proof holds the right one;
/// - it is even and the level's last: the node has no sibling, rises as it is, and the proof holds nothing.
/// These are the RFC's fn and sn without shifting them: fn is index / 2^k, sn is last / 2^k, and fn = sn where `index` and `last`
/// differ in no bit from `bit` upwards. The third case is why an odd-sized tree's last leaf has a shorter proof.
///
/// In assembly because Solidity copies what it hashes, which costs a third more per anchor. It touches memory only beyond the free
/// pointer (the compiler's "memory-safe"). What calldata holds past a proof's end may be read and hashed, but then the proof was too
/// short and is refused for its length. No call into the SHA-256 precompile (address 2) goes unchecked. test/contracts has a twin
/// in plain Solidity.
library Rfc9162 {
    /// @notice Says whether the tree of `newSize` leaves and root `newRoot` begins with the tree of `oldSize` leaves and root
    /// `oldRoot` (RFC 9162 section 2.1.4.2).
    /// @dev Requires 1 <= oldSize < newSize < 2^64. A proof does not bind `newSize`: it may hold for a neighbouring size as well.
    function isConsistent(uint256 oldSize, bytes32 oldRoot, uint256 newSize, bytes32 newRoot, bytes32[] calldata proof)
        internal
        view
        returns (bool consistent)
    {
        assembly ("memory-safe") {
            // Two nodes in hand, one on the way to the old root and one on the way to the new. Each lies in a buffer of three words,
            // 1 ‖ left ‖ right; what is hashed are its 65 bytes from the last byte of the first word.
            let oldLeft := add(mload(0x40), 0x20)
            let oldRight := add(oldLeft, 0x20)
            let newLeft := add(oldLeft, 0x60)
            let newRight := add(newLeft, 0x20)
            mstore(sub(oldLeft, 0x20), 1)
            mstore(sub(newLeft, 0x20), 1)

            // Start at the old tree's last leaf and go up while it is a right child: below, both trees are the same. That skips a
            // level for each low bit that is set in oldSize - 1, hence clear in oldSize.
            let bit := and(oldSize, sub(0, oldSize))
            let index := sub(oldSize, 1)
            let differing := xor(index, sub(newSize, 1))

            // The node there is the proof's first hash, unless the old tree is perfect: then it is its root (RFC: step 2).
            let next := proof.offset
            let node := oldRoot
            if xor(bit, oldSize) {
                node := calldataload(next)
                next := add(next, 0x20)
            }
            mstore(oldRight, node)
            mstore(newRight, node)

            consistent := 1
            for {} lt(bit, newSize) { bit := shl(1, bit) } {
                // A right child: its sibling is in both trees.
                if and(index, bit) {
                    let sibling := calldataload(next)
                    next := add(next, 0x20)
                    mstore(oldLeft, sibling)
                    mstore(newLeft, sibling)
                    consistent := and(consistent, staticcall(gas(), 2, sub(oldLeft, 1), 65, oldRight, 32))
                    consistent := and(consistent, staticcall(gas(), 2, sub(newLeft, 1), 65, newRight, 32))
                    continue
                }
                // A left child without a sibling: up to here, the old tree's edge is the new tree's as well.
                if lt(differing, bit) { continue }
                // A left child: its sibling lies beyond the old tree's edge.
                mstore(newLeft, mload(newRight))
                mstore(newRight, calldataload(next))
                next := add(next, 0x20)
                consistent := and(consistent, staticcall(gas(), 2, sub(newLeft, 1), 65, newRight, 32))
            }

            consistent := and(consistent, eq(next, add(proof.offset, shl(5, proof.length))))
            consistent := and(consistent, eq(mload(oldRight), oldRoot))
            consistent := and(consistent, eq(mload(newRight), newRoot))
        }
    }

    /// @notice Says whether `leafHash` stands at `index` of the tree of `size` leaves and root `root` (RFC 9162 section 2.1.3.2).
    /// @dev Requires index < size < 2^64.
    function isIncluded(uint256 index, uint256 size, bytes32 leafHash, bytes32 root, bytes32[] calldata path)
        internal
        view
        returns (bool included)
    {
        assembly ("memory-safe") {
            // The node in hand, in a buffer as above.
            let left := add(mload(0x40), 0x20)
            let right := add(left, 0x20)
            mstore(sub(left, 0x20), 1)
            mstore(right, leafHash)

            let next := path.offset
            let differing := xor(index, sub(size, 1))
            included := 1
            for { let bit := 1 } lt(bit, size) { bit := shl(1, bit) } {
                switch and(index, bit)
                case 0 {
                    // A left child: without a sibling it rises as it is.
                    if lt(differing, bit) { continue }
                    mstore(left, mload(right))
                    mstore(right, calldataload(next))
                }
                default {
                    // A right child.
                    mstore(left, calldataload(next))
                }
                next := add(next, 0x20)
                included := and(included, staticcall(gas(), 2, sub(left, 1), 65, right, 32))
            }

            included := and(included, eq(next, add(path.offset, shl(5, path.length))))
            included := and(included, eq(mload(right), root))
        }
    }
}
