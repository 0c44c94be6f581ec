// SPDX-License-Identifier: EUPL-1.2
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

import {IKeyRegistry, NOTICE} from "./IKeyRegistry.sol";

/// @title The agencies that may submit records, and their keys.
/// @dev No proxy, no immutable, no block number: the code is the same on every network, and an auditor who sends the same
/// transactions at the same times to a chain of their own ends with the same storage.
contract KeyRegistry is IKeyRegistry, AccessManaged {
    struct Agency {
        bool registered;
        address controller;
    }

    // Slot 0 is AccessManaged's. Evidence relies on slot 1 (IKeyRegistry).
    mapping(bytes32 keyId => Key) private _keys;
    mapping(bytes21 agency => Agency) private _agencies;

    /// @param authority The AccessManager that says who has which role.
    constructor(address authority) AccessManaged(authority) {}

    /// @inheritdoc IKeyRegistry
    function registerAgency(bytes21 agency, string calldata name, address controller) external restricted {
        if (!_isAgency(agency)) revert KeyRegistryAgencyMalformed(agency);
        if (_agencies[agency].registered) revert KeyRegistryAgencyAlreadyRegistered(agency);
        if (bytes(name).length == 0) revert KeyRegistryNameEmpty(agency);

        _agencies[agency] = Agency({registered: true, controller: controller});
        emit AgencyRegistered(agency, name, controller);
    }

    /// @inheritdoc IKeyRegistry
    function renameAgency(bytes21 agency, string calldata name) external restricted {
        _registered(agency);
        if (bytes(name).length == 0) revert KeyRegistryNameEmpty(agency);

        emit AgencyRenamed(agency, name);
    }

    /// @inheritdoc IKeyRegistry
    function setController(bytes21 agency, address controller) external restricted {
        _registered(agency).controller = controller;
        emit ControllerSet(agency, controller);
    }

    /// @inheritdoc IKeyRegistry
    function addKey(
        bytes21 agency,
        uint8 algorithm,
        bytes calldata jwk,
        uint40 validFrom,
        uint40 validUntil,
        bytes calldata proof
    ) external restricted returns (bytes32 keyId) {
        _registered(agency);
        if (algorithm < 1 || algorithm > 6) revert KeyRegistryAlgorithmUnknown(algorithm);
        keyId = sha256(jwk);
        if (_keys[keyId].agency != 0) revert KeyRegistryKeyAlreadyAdded(keyId);

        if (validFrom == 0) validFrom = _blockTime();
        if (validFrom < _blockTime()) revert KeyRegistryValidFromPast(validFrom, _blockTime());
        if (validUntil <= validFrom) revert KeyRegistryValidityEmpty(validFrom, validUntil);

        _keys[keyId] = Key({agency: agency, algorithm: algorithm, validFrom: validFrom, validUntil: validUntil});
        emit KeyAdded(agency, keyId, algorithm, jwk, validFrom, validUntil, proof);
    }

    /// @inheritdoc IKeyRegistry
    function retireKey(bytes32 keyId, uint40 validUntil, uint8 reason, uint40 suspectSince) external {
        Key storage key = _keys[keyId];
        bytes21 agency = key.agency;
        // What `restricted` does, for everybody but the agency's controller. No agency and no controller are zero, which nobody is.
        // The authority is a contract that could call back, so what may change is read after it has answered.
        if (msg.sender != _agencies[agency].controller) _checkCanCall(msg.sender, msg.data);

        if (agency == 0) revert KeyRegistryKeyUnknown(keyId);
        if (reason > 10 || (reason >= 6 && reason <= 8)) revert KeyRegistryReasonUnknown(reason);
        if (validUntil >= key.validUntil) {
            revert KeyRegistryRetirementNotEarlier(keyId, validUntil, key.validUntil);
        }
        uint40 earliest = _blockTime() + NOTICE;
        if (validUntil < earliest) revert KeyRegistryNoticeTooShort(keyId, validUntil, earliest);

        key.validUntil = validUntil;
        emit KeyRetired(agency, keyId, validUntil, reason, suspectSince);
    }

    /// @inheritdoc IKeyRegistry
    function keyOf(bytes32 keyId) external view returns (Key memory) {
        return _keys[keyId];
    }

    /// @inheritdoc IKeyRegistry
    function agencyOf(bytes21 agency) external view returns (bool registered, address controller) {
        return (_agencies[agency].registered, _agencies[agency].controller);
    }

    function _registered(bytes21 agency) private view returns (Agency storage registered) {
        registered = _agencies[agency];
        if (!registered.registered) revert KeyRegistryAgencyUnknown(agency);
    }

    /// @dev Fits until the year 36812.
    function _blockTime() private view returns (uint40) {
        return uint40(block.timestamp);
    }

    /// @dev 1 to 21 characters of `[A-Z0-9:.-]`, then zeros.
    function _isAgency(bytes21 agency) private pure returns (bool) {
        bool ended = false;
        for (uint256 i = 0; i < 21; i++) {
            bytes1 c = agency[i];
            if (c == 0) {
                ended = true;
            } else {
                // In ASCII, `0` to `9` and `:` follow one another.
                bool allowed = (c >= "A" && c <= "Z") || (c >= "0" && c <= ":") || c == "." || c == "-";
                if (ended || !allowed) return false;
            }
        }
        return agency[0] != 0;
    }
}
