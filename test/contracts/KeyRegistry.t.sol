// SPDX-License-Identifier: EUPL-1.2
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";

import {IKeyRegistry, NOTICE, NO_END} from "../../contracts/IKeyRegistry.sol";
import {Roles} from "../../contracts/Roles.sol";
import {HostileAuthority} from "./HostileAuthority.sol";
import {World} from "./World.sol";

contract KeyRegistryTest is World {
    bytes private constant jwk = '{"crv":"P-256","kty":"EC","x":"AA","y":"AQ"}';
    bytes private constant proof = "header.payload.signature";
    bytes32 private keyId;
    uint40 private now40;

    function setUp() external {
        now40 = uint40(block.timestamp);
        accepts(registrar, address(keys), registerCall(agency, "Departement Landbouw", controller));
        keyId = addedKey(jwk, 0, NO_END);
    }

    // Agencies.

    function test_an_agency_is_registered_with_its_name_and_controller() external {
        logsOnly(
            registrar,
            address(keys),
            registerCall("KBO:0123.456-789", "Agentschap", stranger),
            topics2(IKeyRegistry.AgencyRegistered.selector, bytes21("KBO:0123.456-789")),
            abi.encode("Agentschap", stranger)
        );
        agencyIs("KBO:0123.456-789", true, stranger);
        agencyIs("NOBODY", false, address(0));
    }

    function test_an_agency_is_registered_once() external {
        refuses(
            registrar,
            address(keys),
            registerCall(agency, "Again", address(0)),
            abi.encodeWithSelector(IKeyRegistry.KeyRegistryAgencyAlreadyRegistered.selector, agency)
        );
        agencyIs(agency, true, controller);
    }

    function test_an_agency_has_a_name() external {
        bytes memory refusal = abi.encodeWithSelector(IKeyRegistry.KeyRegistryNameEmpty.selector, agency);
        refuses(registrar, address(keys), abi.encodeCall(keys.renameAgency, (agency, "")), refusal);
        refusal = abi.encodeWithSelector(IKeyRegistry.KeyRegistryNameEmpty.selector, bytes21("NEW"));
        refuses(registrar, address(keys), registerCall("NEW", "", controller), refusal);
    }

    function test_an_agency_is_1_to_21_of_its_characters_and_then_zeros() external {
        accepts(registrar, address(keys), registerCall("A", "shortest", address(0)));
        accepts(registrar, address(keys), registerCall("ABCDEFGHIJKLMNOPQRSTU", "longest", address(0)));

        refusesAgency(0);
        refusesAgency(bytes21("A\x00B"));
        refusesAgency(bytes21("\x00A"));
        refusesAgency(bytes21("AAAAAAAAAAAAAAAAAAA\x00A"));
        for (uint256 c = 0; c < 256; c++) {
            for (uint256 place = 0; place < 21; place += 10) {
                bytes memory text = "XXXXXXXXXXXXXXXXXXXXX";
                text[place] = bytes1(uint8(c));
                bool allowed = (c >= 65 && c <= 90) || (c >= 48 && c <= 57) || c == 58 || c == 46 || c == 45;
                // A zero in the last place is the end of the identifier.
                if (c == 0 && place == 20) allowed = true;
                if (c == 88 && place > 0) continue;
                if (allowed) accepts(registrar, address(keys), registerCall(bytes21(text), "one", address(0)));
                else refusesAgency(bytes21(text));
            }
        }
    }

    function refusesAgency(bytes21 malformed) private {
        refuses(
            registrar,
            address(keys),
            registerCall(malformed, "none", address(0)),
            abi.encodeWithSelector(IKeyRegistry.KeyRegistryAgencyMalformed.selector, malformed)
        );
    }

    function test_an_agency_can_be_renamed_and_get_another_controller() external {
        logsOnly(
            registrar,
            address(keys),
            abi.encodeCall(keys.renameAgency, (agency, "Agentschap Landbouw")),
            topics2(IKeyRegistry.AgencyRenamed.selector, agency),
            abi.encode("Agentschap Landbouw")
        );
        logsOnly(
            registrar,
            address(keys),
            abi.encodeCall(keys.setController, (agency, stranger)),
            topics2(IKeyRegistry.ControllerSet.selector, agency),
            abi.encode(stranger)
        );
        agencyIs(agency, true, stranger);
    }

    function test_an_unknown_agency_is_refused_everywhere() external {
        bytes21 none = "NOBODY";
        bytes memory refusal = abi.encodeWithSelector(IKeyRegistry.KeyRegistryAgencyUnknown.selector, none);
        refuses(registrar, address(keys), abi.encodeCall(keys.renameAgency, (none, "x")), refusal);
        refuses(registrar, address(keys), abi.encodeCall(keys.setController, (none, stranger)), refusal);
        refuses(
            registrar, address(keys), abi.encodeCall(keys.addKey, (none, 1, "jwk", 0, NO_END, proof)), refusal
        );
    }

    // Keys.

    function test_a_key_is_added_with_all_that_stands_in_storage_and_its_proof() external {
        bytes32 id = sha256("other");
        logsOnly(
            registrar,
            address(keys),
            abi.encodeCall(keys.addKey, (agency, 6, "other", now40 + 5, now40 + 6, proof)),
            topics3(IKeyRegistry.KeyAdded.selector, agency, id),
            abi.encode(6, bytes("other"), now40 + 5, now40 + 6, proof)
        );
        keyIs(id, IKeyRegistry.Key(agency, 6, now40 + 5, now40 + 6));
    }

    function test_a_key_id_is_the_sha256_of_the_jwk() external view {
        require(keyId == sha256(jwk), "key id");
    }

    function test_validity_without_a_beginning_begins_with_the_block() external view {
        keyIs(keyId, IKeyRegistry.Key(agency, 1, now40, NO_END));
    }

    function test_a_key_may_begin_with_the_block_and_not_before() external {
        addedKey("now", now40, NO_END);
        refuses(
            registrar,
            address(keys),
            addCall("past", now40 - 1, NO_END),
            abi.encodeWithSelector(IKeyRegistry.KeyRegistryValidFromPast.selector, now40 - 1, now40)
        );
    }

    function test_validity_ends_after_it_begins() external {
        addedKey("a second", now40 + 9, now40 + 10);
        addedKey("a second from now", 0, now40 + 1);
        refusesValidity(now40 + 10, now40 + 10);
        refusesValidity(now40 + 10, now40 + 9);
        refusesValidity(now40, 0);
        refusesValidity(NO_END, NO_END);
        refuses(
            registrar,
            address(keys),
            addCall("empty", 0, now40),
            abi.encodeWithSelector(IKeyRegistry.KeyRegistryValidityEmpty.selector, now40, now40)
        );
    }

    function refusesValidity(uint40 validFrom, uint40 validUntil) private {
        refuses(
            registrar,
            address(keys),
            addCall("empty", validFrom, validUntil),
            abi.encodeWithSelector(IKeyRegistry.KeyRegistryValidityEmpty.selector, validFrom, validUntil)
        );
    }

    function test_a_key_has_one_of_six_algorithms() external {
        for (uint256 algorithm = 0; algorithm < 256; algorithm++) {
            bytes memory call = abi.encodeCall(
                keys.addKey, (agency, uint8(algorithm), abi.encodePacked(algorithm), 0, NO_END, proof)
            );
            if (algorithm >= 1 && algorithm <= 6) {
                accepts(registrar, address(keys), call);
            } else {
                refuses(
                    registrar,
                    address(keys),
                    call,
                    abi.encodeWithSelector(IKeyRegistry.KeyRegistryAlgorithmUnknown.selector, algorithm)
                );
            }
        }
    }

    function test_a_key_is_never_added_twice() external {
        bytes memory refusal = abi.encodeWithSelector(IKeyRegistry.KeyRegistryKeyAlreadyAdded.selector, keyId);
        accepts(registrar, address(keys), registerCall("OTHER", "Other", address(0)));
        bytes memory elsewhere = abi.encodeCall(keys.addKey, ("OTHER", 1, jwk, 0, NO_END, proof));

        refuses(registrar, address(keys), addCall(jwk, 0, NO_END), refusal);
        refuses(registrar, address(keys), elsewhere, refusal);
        accepts(registrar, address(keys), retireCall(now40 + NOTICE, 1, 0));
        refuses(registrar, address(keys), addCall(jwk, 0, NO_END), refusal);
        vm.warp(startTime + 1000 days);
        refuses(registrar, address(keys), addCall(jwk, 0, NO_END), refusal);
        refuses(registrar, address(keys), elsewhere, refusal);
    }

    // Retiring.

    function test_registrar_and_controller_retire_a_key() external {
        logsOnly(
            registrar,
            address(keys),
            retireCall(now40 + 5000, 4, 0),
            topics3(IKeyRegistry.KeyRetired.selector, agency, keyId),
            abi.encode(now40 + 5000, 4, 0)
        );
        keyIs(keyId, IKeyRegistry.Key(agency, 1, now40, now40 + 5000));
        logsOnly(
            controller,
            address(keys),
            retireCall(now40 + 4000, 1, now40 - 9),
            topics3(IKeyRegistry.KeyRetired.selector, agency, keyId),
            abi.encode(now40 + 4000, 1, now40 - 9)
        );
        keyIs(keyId, IKeyRegistry.Key(agency, 1, now40, now40 + 4000));
    }

    function test_nobody_else_retires_a_key() external {
        accepts(registrar, address(keys), registerCall("OTHER", "Other", stranger));
        address[7] memory others = [admin, opener, pauser, closer, anchorer, stranger, address(0)];
        for (uint256 i = 0; i < others.length; i++) {
            refuses(
                others[i],
                address(keys),
                retireCall(now40 + NOTICE, 1, 0),
                abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, others[i])
            );
        }
        // A controller that was replaced is a stranger.
        accepts(registrar, address(keys), abi.encodeCall(keys.setController, (agency, stranger)));
        refuses(
            controller,
            address(keys),
            retireCall(now40 + NOTICE, 1, 0),
            abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, controller)
        );
        accepts(stranger, address(keys), retireCall(now40 + NOTICE, 1, 0));
    }

    function test_a_registrar_under_a_delay_retires_after_it_and_once() external {
        bytes memory call = retireCall(now40 + 10 days, 1, 0);
        accepts(admin, address(manager), abi.encodeCall(manager.grantRole, (Roles.KEY_REGISTRAR, stranger, 1 days)));
        bytes32 operation = manager.hashOperation(stranger, address(keys), call);
        refuses(
            stranger,
            address(keys),
            call,
            abi.encodeWithSelector(IAccessManager.AccessManagerNotScheduled.selector, operation)
        );

        accepts(stranger, address(manager), abi.encodeCall(manager.schedule, (address(keys), call, 0)));
        refuses(
            stranger,
            address(keys),
            call,
            abi.encodeWithSelector(IAccessManager.AccessManagerNotReady.selector, operation)
        );
        vm.warp(startTime + 1 days);
        accepts(stranger, address(keys), call);
        keyIs(keyId, IKeyRegistry.Key(agency, 1, now40, now40 + 10 days));
        refuses(
            stranger,
            address(keys),
            call,
            abi.encodeWithSelector(IAccessManager.AccessManagerNotScheduled.selector, operation)
        );
    }

    /// An authority is asked in the middle of a call. This one uses the moment to retire the key itself, to an earlier end: what the
    /// call then checks and writes must not be what it knew before.
    function test_an_authority_that_calls_back_cannot_move_an_end_back() external {
        HostileAuthority hostile = new HostileAuthority(address(manager));
        accepts(admin, address(manager), abi.encodeCall(manager.updateAuthority, (address(keys), address(hostile))));
        hostile.prepare(retireCall(now40 + 1000, 1, 0));
        refuses(
            stranger,
            address(keys),
            retireCall(now40 + 5000, 1, 0),
            abi.encodeWithSelector(
                IKeyRegistry.KeyRegistryRetirementNotEarlier.selector, keyId, now40 + 5000, now40 + 1000
            )
        );
        // Refused as a whole, the earlier end with it. To an earlier one still, both stand.
        keyIs(keyId, IKeyRegistry.Key(agency, 1, now40, NO_END));
        accepts(stranger, address(keys), retireCall(now40 + 500, 1, 0));
        keyIs(keyId, IKeyRegistry.Key(agency, 1, now40, now40 + 500));
    }

    function test_a_registry_closed_to_its_roles_still_lets_an_agency_retire_its_key() external {
        accepts(admin, address(manager), abi.encodeCall(manager.setTargetClosed, (address(keys), true)));
        refuses(
            registrar,
            address(keys),
            retireCall(now40 + NOTICE, 1, 0),
            abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, registrar)
        );
        accepts(controller, address(keys), retireCall(now40 + NOTICE, 1, 0));
    }

    function test_a_controller_may_do_nothing_else() external {
        bytes[4] memory calls = [
            registerCall("OTHER", "Other", controller),
            abi.encodeCall(keys.renameAgency, (agency, "x")),
            abi.encodeCall(keys.setController, (agency, controller)),
            addCall("more", 0, NO_END)
        ];
        address[6] memory others = [controller, admin, opener, pauser, closer, stranger];
        for (uint256 i = 0; i < calls.length; i++) {
            for (uint256 j = 0; j < others.length; j++) {
                refuses(
                    others[j],
                    address(keys),
                    calls[i],
                    abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, others[j])
                );
            }
            accepts(registrar, address(keys), calls[i]);
        }
    }

    function test_a_retirement_is_announced_120_seconds_before() external {
        refuses(
            registrar,
            address(keys),
            retireCall(now40 + 119, 1, 0),
            abi.encodeWithSelector(
                IKeyRegistry.KeyRegistryNoticeTooShort.selector, keyId, now40 + 119, now40 + 120
            )
        );
        accepts(registrar, address(keys), retireCall(now40 + 120, 1, 0));
        keyIs(keyId, IKeyRegistry.Key(agency, 1, now40, now40 + 120));
    }

    function test_a_retirement_only_brings_the_end_forward() external {
        accepts(registrar, address(keys), retireCall(now40 + 1000, 1, 0));
        uint40[3] memory later = [now40 + 1000, now40 + 1001, NO_END];
        for (uint256 i = 0; i < later.length; i++) {
            refuses(
                controller,
                address(keys),
                retireCall(later[i], 1, 0),
                abi.encodeWithSelector(
                    IKeyRegistry.KeyRegistryRetirementNotEarlier.selector, keyId, later[i], now40 + 1000
                )
            );
        }
    }

    function test_what_has_ended_or_is_about_to_stays_as_it_is() external {
        accepts(registrar, address(keys), retireCall(now40 + 1000, 1, 0));
        uint256[3] memory times = [startTime + 881, startTime + 1000, startTime + 1000 days];
        for (uint256 i = 0; i < times.length; i++) {
            vm.warp(times[i]);
            uint40 end = uint40(times[i]) + NOTICE;
            refuses(
                registrar,
                address(keys),
                retireCall(end, 1, 0),
                abi.encodeWithSelector(
                    IKeyRegistry.KeyRegistryRetirementNotEarlier.selector, keyId, end, now40 + 1000
                )
            );
        }
        keyIs(keyId, IKeyRegistry.Key(agency, 1, now40, now40 + 1000));
    }

    function test_a_key_retired_before_it_begins_is_never_good() external {
        bytes32 id = addedKey("later", now40 + 10_000, NO_END);
        accepts(registrar, address(keys), abi.encodeCall(keys.retireKey, (id, now40 + 200, 5, 0)));
        keyIs(id, IKeyRegistry.Key(agency, 1, now40 + 10_000, now40 + 200));
    }

    function test_a_reason_is_one_for_which_a_key_can_end() external {
        for (uint256 reason = 0; reason < 256; reason++) {
            bytes memory call = retireCall(uint40(now40 + 10_000 - reason), uint8(reason), 0);
            bool allowed = reason <= 5 || reason == 9 || reason == 10;
            if (allowed) {
                accepts(registrar, address(keys), call);
            } else {
                refuses(
                    registrar,
                    address(keys),
                    call,
                    abi.encodeWithSelector(IKeyRegistry.KeyRegistryReasonUnknown.selector, reason)
                );
            }
        }
    }

    function test_an_unknown_key_is_nothing_and_cannot_be_retired() external {
        bytes32 none = keccak256("none");
        keyIs(none, IKeyRegistry.Key(0, 0, 0, 0));
        bytes memory call = abi.encodeCall(keys.retireKey, (none, now40 + NOTICE, 1, 0));
        refuses(
            registrar,
            address(keys),
            call,
            abi.encodeWithSelector(IKeyRegistry.KeyRegistryKeyUnknown.selector, none)
        );
        // Nor by those who control no agency: the zero address is what an unknown agency's controller reads as.
        address[2] memory others = [controller, address(0)];
        for (uint256 i = 0; i < others.length; i++) {
            vm.prank(others[i]);
            (bool accepted,) = address(keys).call(call);
            require(!accepted, "retired");
        }
    }

    function testFuzz_a_key_is_good_from_its_beginning_to_its_end(
        uint40 validFrom,
        uint40 validUntil,
        uint40 end,
        uint32 later
    ) external {
        bytes memory call = addCall("fuzzed", validFrom, validUntil);
        uint40 begins = validFrom == 0 ? now40 : validFrom;
        bytes32 id = sha256("fuzzed");
        vm.prank(registrar);
        (bool accepted,) = address(keys).call(call);
        require(accepted == (begins >= now40 && validUntil > begins), "adding");
        keyIs(id, accepted ? IKeyRegistry.Key(agency, 1, begins, validUntil) : IKeyRegistry.Key(0, 0, 0, 0));
        if (!accepted) return;

        vm.warp(startTime + later);
        vm.prank(controller);
        (accepted,) = address(keys).call(abi.encodeCall(keys.retireKey, (id, end, 0, 0)));
        require(accepted == (end < validUntil && end >= startTime + later + NOTICE), "retiring");
        keyIs(id, IKeyRegistry.Key(agency, 1, begins, accepted ? end : validUntil));
    }

    function keyIs(bytes32 id, IKeyRegistry.Key memory wanted) private view {
        require(keccak256(abi.encode(keys.keyOf(id))) == keccak256(abi.encode(wanted)), "another key");
    }

    function agencyIs(bytes21 id, bool registered, address by) private view {
        (bool gotRegistered, address gotBy) = keys.agencyOf(id);
        require(gotRegistered == registered && gotBy == by, "another agency");
    }

    function addedKey(bytes memory text, uint40 validFrom, uint40 validUntil) private returns (bytes32) {
        return abi.decode(accepts(registrar, address(keys), addCall(text, validFrom, validUntil)), (bytes32));
    }

    function registerCall(bytes21 id, string memory name, address by) private view returns (bytes memory) {
        return abi.encodeCall(keys.registerAgency, (id, name, by));
    }

    function addCall(bytes memory text, uint40 validFrom, uint40 validUntil) private view returns (bytes memory) {
        return abi.encodeCall(keys.addKey, (agency, 1, text, validFrom, validUntil, proof));
    }

    function retireCall(uint40 validUntil, uint8 reason, uint40 suspectSince) private view returns (bytes memory) {
        return abi.encodeCall(keys.retireKey, (keyId, validUntil, reason, suspectSince));
    }
}
