// SPDX-License-Identifier: EUPL-1.2
pragma solidity 0.8.37;

/// @title The roles in the AccessManager that is the authority of both registries.
/// @notice Each says one act. Which function needs which role is set in the AccessManager at deployment; a function without a role is
/// for its administrator only. The administrator (OpenZeppelin's role 0) decides who has which role and with what delay; neither
/// it nor all roles together can set a head, write a root twice, extend a key's validity or change the past.
///
/// Anchorers and controllers have no role: the registries themselves know them. Closing a registry in the AccessManager therefore
/// stops the roles, but neither anchors (setPaused does) nor an agency that retires its own key (nothing should).
library Roles {
    /// @notice AnchorRegistry.openLog and setAnchorer.
    uint64 internal constant LOG_OPENER = 1;
    /// @notice AnchorRegistry.setPaused.
    uint64 internal constant LOG_PAUSER = 2;
    /// @notice AnchorRegistry.closeLog.
    uint64 internal constant LOG_CLOSER = 3;
    /// @notice KeyRegistry.registerAgency, renameAgency, setController, addKey and retireKey.
    uint64 internal constant KEY_REGISTRAR = 4;
}
