"""What Vault does wrong, and the code that comes of it: each by its true cause, at the Vault itself.

Seed 'Manage device provisioning', Vault errors; causes: guardian fact sheet, sections 3 and 11.3. The board
keeps what it has; what was signed before the failure is revoked, which the shared check looks after.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.client_definitions import INFUSION_PUMP, THREE_SLOTS
from harness_guardian.enums import ApprovalType, KeyType, Status

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard
    from harness_guardian.attempting import Attempt, Device

pytestmark = [
    pytest.mark.board(driver="guardian-component"),
    pytest.mark.backend(needs={"faults"}),
]

CERTIFICATES = "FAIL_SIGN_DEVICE_CERTIFICATES"
PROFILE = "FAIL_SIGN_DEVICE_CERTIFIED_PROFILE"
TIMEOUT = "VAULT_REQUEST_TIMEOUT"
SIGNER = "UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER"
LEAFS = "UNABLE_LOOKUP_DEVICE_CERTIFICATES"
ISSUER = "FAIL_SIGN_MISSING_SIGNER_CERTIFICATE"

SHORT, USUAL = 0.3, 5.0
"""Seconds that the service waits for Vault where it is to wait in vain, and otherwise."""

#: Which fault of which call gives which code while a device is provisioned (fact sheet, section 11.3).
FAULTS = [
    pytest.param("sign", {"kind": "status", "status": 500}, CERTIFICATES, id="sign-500"),
    pytest.param("read-issuer", {"kind": "not-found"}, ISSUER, id="issuer-404"),
    pytest.param("sign-profile", {"kind": "status", "status": 500}, PROFILE, id="profile-500"),
]
#: Other ways to the same codes.
OTHER_FAULTS = [
    pytest.param("sign", {"kind": "status", "status": 400}, CERTIFICATES, id="sign-400"),
    pytest.param("sign", {"kind": "status", "status": 403}, CERTIFICATES, id="sign-403"),
    pytest.param("sign", {"kind": "status", "status": 503}, CERTIFICATES, id="sign-503"),
    pytest.param("sign", {"kind": "wrong-key"}, CERTIFICATES, id="sign-wrong-key"),
    pytest.param("sign", {"kind": "wrong-subject"}, CERTIFICATES, id="sign-wrong-subject"),
    pytest.param("sign", {"kind": "hang-up"}, CERTIFICATES, id="sign-hang-up"),
    pytest.param("sign", {"kind": "unknown-issuer"}, ISSUER, id="sign-unknown-issuer"),
    pytest.param("sign-profile", {"kind": "status", "status": 400}, PROFILE, id="profile-400"),
    pytest.param("sign-profile", {"kind": "bad-signature"}, PROFILE, id="profile-bad-signature"),
]
OTHER = {KeyType.P384: KeyType.ED25519, KeyType.ED25519: KeyType.P256, KeyType.P256: KeyType.P384}
SLOW = ["read-issuer", "sign", "sign-profile"]


@pytest.fixture(params=[False, True], ids=["initial", "reprovision"])
def reprovision(request: pytest.FixtureRequest) -> bool:
    """A first provisioning, and another one."""
    return bool(request.param)


@pytest.fixture
def ready(device: Device, reprovision: Any) -> Device:
    """The board, as far as it must be for what is tried."""
    if reprovision:
        assert device.attempt().ended_well
    return device


@pytest.mark.parametrize(("call", "fault", "code"), FAULTS)
@pytest.mark.proves("Vault fails", "its code, at a first provisioning and at another one")
def test_fault(
    guardian: Any,
    ready: Device,
    reprovision: Any,
    judge: Any,
    call: str,
    fault: dict[str, Any],
    code: str,
) -> None:
    """The request fails behind its approval, the board is told why, and a new one succeeds."""
    with guardian.vault.fault(ready.system.name, call=call, **fault):
        judge.failed(ready.attempt(reprovision=reprovision), code, "P")

    assert ready.attempt(reprovision=reprovision).ended_well


@pytest.mark.parametrize("approval", [ApprovalType.AUTOMATIC], indirect=True)
@pytest.mark.parametrize(("call", "fault", "code"), OTHER_FAULTS)
@pytest.mark.proves("Vault fails", "the same code for whatever way a call fails")
def test_other_fault(
    guardian: Any, device: Device, judge: Any, call: str, fault: dict[str, Any], code: str
) -> None:
    """It counts which call fails; how it fails does not."""
    with guardian.vault.fault(device.system.name, call=call, **fault):
        judge.failed(device.attempt(), code, "P")

    assert device.attempt().ended_well


@pytest.mark.parametrize("call", SLOW)
@pytest.mark.proves("Vault is slow", "VAULT_REQUEST_TIMEOUT while provisioning")
def test_slow(guardian: Any, approval: ApprovalType, device_of: Any, judge: Any, call: str) -> None:
    """A call that has no complete answer in time; nobody asks twice.

    Where people approve it is tried at a first provisioning, where they do not at another one.
    """
    reprovision = approval is ApprovalType.AUTOMATIC
    system = guardian.create_system(approval=approval)
    device = device_of(system)
    if reprovision:
        assert device.attempt().ended_well
    before = Counter(each.call for each in guardian.vault.log(system.name))
    system.change(vault_timeout=SHORT)

    with guardian.vault.fault(system.name, call=call, kind="delay", seconds=30):
        attempt = device.attempt(reprovision=reprovision)
    judge.failed(attempt, TIMEOUT, "P")
    assert _waited(attempt) < USUAL

    after = Counter(each.call for each in guardian.vault.log(system.name))
    assert after[call] - before[call] == 1
    system.change(vault_timeout=5)
    assert device.attempt(reprovision=reprovision).ended_well


@pytest.mark.parametrize("approval", [ApprovalType.MANUAL], indirect=True)
@pytest.mark.parametrize("slot", ["tls", "signing"])
@pytest.mark.proves("Vault fails", "at a later certificate: the earlier ones are revoked")
def test_later_certificate(board: LeasedBoard, guardian: Any, device: Device, judge: Any, slot: str) -> None:
    """Vault's role for a later slot wants another kind of key by the time that it signs."""
    system, before = device.system, board.driver.snapshot()
    made = device.submit()
    guardian.wait_for(made.request_id, Status.NEEDS_APPROVAL)
    slots = tuple(
        replace(each, key=OTHER[each.key] if each.slot == slot else each.key) for each in THREE_SLOTS
    )
    system.change(components=[replace(INFUSION_PUMP, certificates=slots).fields()])

    device.carry(made.request_id)

    judge.failed(device.seen(made.request_id, before), CERTIFICATES, "P")
    log = guardian.vault.log(system.name)
    signed = [each for each in log if each.call == "sign"]
    assert [each.slot for each in signed] == ["identity", "tls", "signing"][: len(signed)]
    assert [each.status for each in signed] == [200] * (len(signed) - 1) + [400]
    assert signed[-1].slot == slot
    assert {each.serial for each in log if each.call == "revoke"} == {each.serial for each in signed[:-1]}
    assert board.driver.certificates() == {}


@pytest.mark.proves("Vault fails", "at the profile: its certificates are revoked")
def test_certificates_of_a_failed_profile(guardian: Any, ready: Device, reprovision: Any, judge: Any) -> None:
    """The certificates of a profile that could not be signed are revoked, those of the device are not."""
    system = ready.system.name
    with guardian.vault.fault(system, call="sign-profile", kind="status", status=500):
        attempt = ready.attempt(reprovision=reprovision)
    judge.failed(attempt, PROFILE, "P")

    log = guardian.vault.log(system)
    signed = {each.serial for each in log if each.call == "sign" and each.request_id == attempt.row.id}
    assert len(signed) == 3
    assert {each.serial for each in log if each.call == "revoke"} == signed
    assert ready.attempt(reprovision=reprovision).ended_well


# Who signed the request ------------------------------------------------------------------------------------


def _identity(board: LeasedBoard) -> str:
    """Return the serial number of the board's identity, as Vault writes it."""
    digits = board.driver.certificates()["identity"].serial
    digits = digits.zfill(len(digits) + len(digits) % 2)
    return ":".join(digits[place : place + 2] for place in range(0, len(digits), 2))


@pytest.mark.parametrize("how", ["forget", "revoke"])
@pytest.mark.proves("reprovision", "UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER: unknown to Vault, or revoked")
def test_unknown_signer(board: LeasedBoard, guardian: Any, provisioned: Device, judge: Any, how: str) -> None:
    """Vault does not know the identity any more, or it is revoked; nobody else's is in its place."""
    getattr(guardian.vault, how)(_identity(board), provisioned.system.name)

    judge.failed(provisioned.attempt(reprovision=True), SIGNER)


@pytest.mark.proves("reprovision", "UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER, and it is found again")
def test_signer_not_found_once(board: LeasedBoard, guardian: Any, provisioned: Device, judge: Any) -> None:
    """A failed request is final, and the next one is looked at anew."""
    fault = {"call": "read-certificate", "kind": "not-found", "serial": _identity(board)}
    with guardian.vault.fault(provisioned.system.name, **fault):
        judge.failed(provisioned.attempt(reprovision=True), SIGNER)

    assert provisioned.attempt(reprovision=True).ended_well


@pytest.mark.proves("reprovision", "VAULT_REQUEST_TIMEOUT while verifying")
def test_slow_signer(board: LeasedBoard, guardian: Any, provisioned: Device, judge: Any) -> None:
    """The one call of the verification may take too long, too."""
    system = provisioned.system
    system.change(vault_timeout=SHORT)
    fault = {"call": "read-certificate", "kind": "delay", "seconds": 30, "serial": _identity(board)}
    with guardian.vault.fault(system.name, **fault):
        judge.failed(provisioned.attempt(reprovision=True), TIMEOUT)

    system.change(vault_timeout=5)
    assert provisioned.attempt(reprovision=True).ended_well


# What the device has ---------------------------------------------------------------------------------------


def _serial(board: LeasedBoard, slot: str) -> str:
    return str(board.driver.certificates()[slot].serial)


@pytest.mark.parametrize("slot", ["tls", "signing"])
@pytest.mark.proves("reprovision", "UNABLE_LOOKUP_DEVICE_CERTIFICATES")
def test_unknown_leaf(board: LeasedBoard, guardian: Any, provisioned: Device, judge: Any, slot: str) -> None:
    """Vault does not know one of the certificates that the device has now."""
    system = provisioned.system.name
    fault = {"call": "read-certificate", "kind": "not-found", "serial": _serial(board, slot)}
    with guardian.vault.fault(system, **fault):
        judge.failed(provisioned.attempt(reprovision=True), LEAFS, "P")

    assert provisioned.attempt(reprovision=True).ended_well
    guardian.vault.forget(_serial(board, slot), system)
    judge.failed(provisioned.attempt(reprovision=True), LEAFS, "P")


@pytest.mark.proves("reprovision", "VAULT_REQUEST_TIMEOUT while looking for the device's certificates")
def test_slow_leaf(board: LeasedBoard, guardian: Any, provisioned: Device, judge: Any) -> None:
    """Reading what the device has is part of provisioning it."""
    system = provisioned.system
    system.change(vault_timeout=SHORT)
    fault = {"call": "read-certificate", "kind": "delay", "seconds": 30, "serial": _serial(board, "tls")}
    with guardian.vault.fault(system.name, **fault):
        judge.failed(provisioned.attempt(reprovision=True), TIMEOUT, "P")
    system.change(vault_timeout=5)


# Long waits ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("approval", [ApprovalType.AUTOMATIC], indirect=True)
@pytest.mark.proves("Vault is slow", "VAULT_REQUEST_TIMEOUT after the 5 seconds of the seed")
def test_the_usual_patience(guardian: Any, device: Device, judge: Any) -> None:
    """Unless a system says otherwise, its service waits five seconds."""
    with guardian.vault.fault(device.system.name, call="sign", kind="delay", seconds=30):
        attempt = device.attempt()

    judge.failed(attempt, TIMEOUT, "P")
    assert USUAL <= _waited(attempt) < 2 * USUAL


def _waited(attempt: Attempt) -> float:
    """Return for how many seconds a request was in the state in which it failed."""
    last, failed = attempt.history[-2:]
    return (failed.at - last.at).total_seconds()
