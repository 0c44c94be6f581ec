// SPDX-License-Identifier: EUPL-1.2
pragma solidity 0.8.37;

/// @dev How long before its end a retirement must be announced, in seconds. The service refuses a key as soon as it sees it retired
/// and refuses everything when it has not heard from the chain for 60 s, so nothing that it acknowledged turns invalid.
uint40 constant NOTICE = 120;

/// @dev The `validUntil` of a key without an end: 2^40 - 1.
uint40 constant NO_END = type(uint40).max;

/// @title The agencies that may submit records, and their keys.
/// @notice An agency is an organisation, never a natural person: what stands here is public and cannot be erased. It has a key per
/// system, and each key a time in which it is good. A key is good for a record when
/// `validFrom * 1000 <= entry time in milliseconds < validUntil * 1000`. That time can be shortened, with notice, and never
/// lengthened or moved, so what was proved under a key stays proved.
///
/// Who may do what (role numbers in Roles.sol, under the AccessManager that is this contract's authority):
/// - KEY_REGISTRAR everything below;
/// - an agency's *controller*, an address that the registrar sets, retires that agency's keys, and nothing else;
/// - nobody changes a key's agency or algorithm, extends its validity, changes what lies in the past, or adds a key id a second
///   time. There is no function that does.
///
/// Storage that evidence relies on: `keys[keyId]` is a plain mapping of one-slot structs at slot 1, so the slot of a key is
/// keccak256(keyId ‖ uint256 1), and its word, big-endian, reads validUntil (5 bytes) ‖ validFrom (5) ‖ algorithm (1) ‖ agency (21).
///
/// An identifier of an agency is 1 to 21 characters of `[A-Z0-9:.-]` (an OVO code, KBO number or LEI), then zero bytes.
/// Times are in seconds since 1970.
interface IKeyRegistry {
    /// @param agency Whose key it is; zero where the key is unknown.
    /// @param algorithm 1 ES256, 2 ES384, 3 ES256K, 4 RS256, 5 PS256, 6 Ed25519; a key has one and keeps it.
    /// @param validFrom The first second in which the key is good.
    /// @param validUntil The first second in which it is good no more; 2^40 - 1 for no end. A key that was retired before it became
    /// good has a `validUntil` that is not after its `validFrom`: it is never good.
    struct Key {
        bytes21 agency;
        uint8 algorithm;
        uint40 validFrom;
        uint40 validUntil;
    }

    /// @notice An agency was registered. `name` is for display; the identifier is what is proved.
    event AgencyRegistered(bytes21 indexed agency, string name, address controller);

    /// @notice The agency is called `name` from now on.
    event AgencyRenamed(bytes21 indexed agency, string name);

    /// @notice From now on `controller` may retire the agency's keys, and no other address besides the registrar; zero for nobody.
    event ControllerSet(bytes21 indexed agency, address controller);

    /// @notice A key was added: everything that stands in storage, the key itself, and its proof of possession.
    event KeyAdded(
        bytes21 indexed agency,
        bytes32 indexed keyId,
        uint8 algorithm,
        bytes jwk,
        uint40 validFrom,
        uint40 validUntil,
        bytes proof
    );

    /// @notice A key's end was brought forward to `validUntil`. `reason` is a CRLReason of RFC 5280 section 5.3.1.
    event KeyRetired(
        bytes21 indexed agency, bytes32 indexed keyId, uint40 validUntil, uint8 reason, uint40 suspectSince
    );

    /// @notice Not 1 to 21 characters of `[A-Z0-9:.-]` followed by zero bytes only.
    error KeyRegistryAgencyMalformed(bytes21 agency);

    /// @notice An agency is registered once; afterwards it is renamed.
    error KeyRegistryAgencyAlreadyRegistered(bytes21 agency);

    /// @notice No such agency is registered.
    error KeyRegistryAgencyUnknown(bytes21 agency);

    /// @notice An agency has a name.
    error KeyRegistryNameEmpty(bytes21 agency);

    /// @notice Not one of the algorithms 1 to 6.
    error KeyRegistryAlgorithmUnknown(uint8 algorithm);

    /// @notice This key was added before, for this agency or another. A key id is never used twice, nor after its retirement.
    error KeyRegistryKeyAlreadyAdded(bytes32 keyId);

    /// @notice No such key was ever added.
    error KeyRegistryKeyUnknown(bytes32 keyId);

    /// @notice A key cannot have been good before it was added.
    error KeyRegistryValidFromPast(uint40 validFrom, uint40 blockTime);

    /// @notice The key's end is not after its beginning.
    error KeyRegistryValidityEmpty(uint40 validFrom, uint40 validUntil);

    /// @notice Retiring brings a key's end forward; it never leaves it or moves it back.
    error KeyRegistryRetirementNotEarlier(bytes32 keyId, uint40 validUntil, uint40 lastValidUntil);

    /// @notice The key's new end is less than 120 s from now.
    error KeyRegistryNoticeTooShort(bytes32 keyId, uint40 validUntil, uint40 earliest);

    /// @notice Not a reason for which a key can end: 0 unspecified, 1 key compromise, 2 CA compromise, 3 affiliation changed,
    /// 4 superseded, 5 cessation of operation, 9 privilege withdrawn, 10 AA compromise. RFC 5280 has no 7, and its 6 and 8 (on
    /// hold, off hold) are for revocations that can be undone.
    error KeyRegistryReasonUnknown(uint8 reason);

    /// @notice Registers an agency. Role KEY_REGISTRAR.
    /// @param agency Its identifier, never registered before.
    /// @param name Its name, for display. Not empty.
    /// @param controller The address that may retire the agency's keys beside the registrar; zero for nobody.
    function registerAgency(bytes21 agency, string calldata name, address controller) external;

    /// @notice Changes an agency's display name. Role KEY_REGISTRAR.
    function renameAgency(bytes21 agency, string calldata name) external;

    /// @notice Changes who may retire the agency's keys beside the registrar; zero for nobody. Role KEY_REGISTRAR.
    function setController(bytes21 agency, address controller) external;

    /// @notice Adds a key. Role KEY_REGISTRAR.
    /// @dev The contract takes `jwk` and `proof` as they are: it cannot judge either at a sane cost, and a JWK that is not canonical has
    /// a key id under which nothing verifies. The service and the auditor check both, and ignore a key without a good proof.
    /// @param algorithm The one algorithm of the key's signatures (Key.algorithm).
    /// @param jwk The public key as the canonical JSON of RFC 7638: required members only, in lexicographic order, no white space.
    /// @param validFrom The first second in which the key is good, not before this block's time; 0 for this block's time.
    /// @param validUntil The first second in which it is good no more, after `validFrom`; 2^40 - 1 for no end.
    /// @param proof The key's own compact JWS over agency, chain and this registry: whoever asked for it holds the private key.
    /// @return keyId SHA-256(jwk), the RFC 7638 thumbprint.
    function addKey(
        bytes21 agency,
        uint8 algorithm,
        bytes calldata jwk,
        uint40 validFrom,
        uint40 validUntil,
        bytes calldata proof
    ) external returns (bytes32 keyId);

    /// @notice Brings a key's end forward. Role KEY_REGISTRAR, or the controller of the key's agency.
    /// @param validUntil The new end: earlier than the present one, and at least 120 s after this block's time.
    /// @param reason Why: a CRLReason of RFC 5280 (KeyRegistryReasonUnknown lists them).
    /// @param suspectSince Since when the key may have been in other hands; 0 where that is not suspected. It changes no validity: it
    /// tells readers of the event which records to look at again. Not checked.
    function retireKey(bytes32 keyId, uint40 validUntil, uint8 reason, uint40 suspectSince) external;

    /// @notice The key as it stands; all zero where it is unknown.
    function keyOf(bytes32 keyId) external view returns (Key memory);

    /// @notice Whether an agency is registered, and who controls it; the name is in the events only.
    function agencyOf(bytes21 agency) external view returns (bool registered, address controller);
}
