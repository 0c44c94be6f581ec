// SPDX-License-Identifier: EUPL-1.2
pragma solidity 0.8.37;

/// @dev RFC 9162 as it is written, in plain Solidity and without a thought for gas: what the contracts' assembly is compared with.
library Twin {
    /// Section 2.1.1.
    function leafHash(bytes memory entry) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x00), entry));
    }

    function nodeHash(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x01), left, right));
    }

    /// MTH(D[start:start + size]), from leaf hashes.
    function root(bytes32[] memory leaves, uint256 start, uint256 size) internal pure returns (bytes32) {
        if (size == 1) return leaves[start];
        uint256 k = splitPoint(size);
        return nodeHash(root(leaves, start, k), root(leaves, start + k, size - k));
    }

    /// The largest power of two smaller than `size`.
    function splitPoint(uint256 size) internal pure returns (uint256 k) {
        k = 1;
        while (k * 2 < size) k *= 2;
    }

    /// Section 2.1.3.1: PATH(index, D[start:start + size]).
    function inclusionPath(bytes32[] memory leaves, uint256 index, uint256 start, uint256 size)
        internal
        pure
        returns (bytes32[] memory)
    {
        if (size == 1) return new bytes32[](0);
        uint256 k = splitPoint(size);
        return index < k
            ? append(inclusionPath(leaves, index, start, k), root(leaves, start + k, size - k))
            : append(inclusionPath(leaves, index - k, start + k, size - k), root(leaves, start, k));
    }

    /// Section 2.1.4.1: PROOF(oldSize, D_newSize).
    function consistencyProof(bytes32[] memory leaves, uint256 oldSize, uint256 newSize)
        internal
        pure
        returns (bytes32[] memory)
    {
        return subproof(leaves, oldSize, 0, newSize, true);
    }

    function subproof(bytes32[] memory leaves, uint256 m, uint256 start, uint256 size, bool complete)
        internal
        pure
        returns (bytes32[] memory)
    {
        if (m == size) {
            return complete ? new bytes32[](0) : append(new bytes32[](0), root(leaves, start, size));
        }
        uint256 k = splitPoint(size);
        return m <= k
            ? append(subproof(leaves, m, start, k, complete), root(leaves, start + k, size - k))
            : append(subproof(leaves, m - k, start + k, size - k, false), root(leaves, start, k));
    }

    /// Section 2.1.3.2.
    function isIncluded(uint256 index, uint256 size, bytes32 leaf, bytes32 rootHash, bytes32[] memory path)
        internal
        pure
        returns (bool)
    {
        if (index >= size) return false;
        uint256 fn = index;
        uint256 sn = size - 1;
        bytes32 r = leaf;
        for (uint256 i = 0; i < path.length; i++) {
            bytes32 p = path[i];
            if (sn == 0) return false;
            if (fn % 2 == 1 || fn == sn) {
                r = nodeHash(p, r);
                while (fn % 2 == 0 && fn != 0) (fn, sn) = (fn / 2, sn / 2);
            } else {
                r = nodeHash(r, p);
            }
            (fn, sn) = (fn / 2, sn / 2);
        }
        return sn == 0 && r == rootHash;
    }

    /// Section 2.1.4.2, for first < second.
    function isConsistent(
        uint256 first,
        bytes32 firstHash,
        uint256 second,
        bytes32 secondHash,
        bytes32[] memory consistencyPath
    ) internal pure returns (bool) {
        // Step 1.
        if (consistencyPath.length == 0) return false;
        // Step 2.
        bytes32[] memory path = first & (first - 1) == 0 ? prepend(firstHash, consistencyPath) : consistencyPath;
        // Steps 3 and 4.
        uint256 fn = first - 1;
        uint256 sn = second - 1;
        while (fn % 2 == 1) (fn, sn) = (fn / 2, sn / 2);
        // Step 5.
        bytes32 fr = path[0];
        bytes32 sr = path[0];
        // Step 6.
        for (uint256 i = 1; i < path.length; i++) {
            bytes32 c = path[i];
            if (sn == 0) return false;
            if (fn % 2 == 1 || fn == sn) {
                fr = nodeHash(c, fr);
                sr = nodeHash(c, sr);
                while (fn % 2 == 0 && fn != 0) (fn, sn) = (fn / 2, sn / 2);
            } else {
                sr = nodeHash(sr, c);
            }
            (fn, sn) = (fn / 2, sn / 2);
        }
        // Step 7.
        return fr == firstHash && sr == secondHash && sn == 0;
    }

    function append(bytes32[] memory hashes, bytes32 last) internal pure returns (bytes32[] memory) {
        return insert(hashes, hashes.length, last);
    }

    function prepend(bytes32 first, bytes32[] memory hashes) internal pure returns (bytes32[] memory) {
        return insert(hashes, 0, first);
    }

    /// The hashes with one more, at `place`.
    function insert(bytes32[] memory hashes, uint256 place, bytes32 hash) internal pure returns (bytes32[] memory more) {
        more = new bytes32[](hashes.length + 1);
        for (uint256 i = 0; i < more.length; i++) {
            more[i] = i < place ? hashes[i] : i == place ? hash : hashes[i - 1];
        }
    }

    /// The hashes without the one at `place`.
    function remove(bytes32[] memory hashes, uint256 place) internal pure returns (bytes32[] memory fewer) {
        fewer = new bytes32[](hashes.length - 1);
        for (uint256 i = 0; i < fewer.length; i++) fewer[i] = hashes[i < place ? i : i + 1];
    }

    /// The hashes with one bit of the one at `place` flipped.
    function flip(bytes32[] memory hashes, uint256 place, uint256 bit) internal pure returns (bytes32[] memory flipped) {
        flipped = new bytes32[](hashes.length);
        for (uint256 i = 0; i < flipped.length; i++) flipped[i] = hashes[i];
        flipped[place] ^= bytes32(1 << (bit % 256));
    }
}
