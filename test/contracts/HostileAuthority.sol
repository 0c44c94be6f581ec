// SPDX-License-Identifier: EUPL-1.2
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

/// @dev An authority that allows everything, and uses the moment when a registry asks it to call that registry itself.
contract HostileAuthority {
    address private immutable successor;
    bytes private call;

    constructor(address successor_) {
        successor = successor_;
    }

    /// What to call when asked next.
    function prepare(bytes calldata call_) external {
        call = call_;
    }

    /// At once for itself; for others "after a delay", so that the registry calls `consumeScheduledOp` in the middle of its call.
    function canCall(address caller, address, bytes4) external view returns (bool, uint32) {
        return caller == address(this) ? (true, 0) : (false, 1);
    }

    function consumeScheduledOp(address, bytes calldata) external {
        (bool accepted,) = msg.sender.call(call);
        accepted;
    }

    /// Gives a registry back to its former authority.
    function restore(address registry) external {
        if (AccessManaged(registry).authority() == address(this)) AccessManaged(registry).setAuthority(successor);
    }
}
