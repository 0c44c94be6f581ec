// SPDX-License-Identifier: EUPL-1.2
pragma solidity 0.8.37;

/// @dev The few of the test runner's cheat codes that these tests use.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    /// The next call comes from this address.
    function prank(address caller) external;
    /// Sets the block's time.
    function warp(uint256 time) external;
    /// Sets the chain's id.
    function chainId(uint256 id) external;
    /// Starts over with an empty list of logs; hands out the list.
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory logs);
    /// Starts over with an empty list of slots used; hands out a contract's.
    function record() external;
    function accesses(address target) external returns (bytes32[] memory reads, bytes32[] memory writes);
    /// Reads a storage slot.
    function load(address target, bytes32 slot) external view returns (bytes32 word);
    /// Answers calls to an address whose data begins like this; makes them fail.
    function mockCall(address target, bytes calldata data, bytes calldata answer) external;
    function mockCallRevert(address target, bytes calldata data, bytes calldata reason) external;
    function clearMockedCalls() external;
}
