"""Two things wrong at once: the first check of the documented order tells what it found.

Guardian fact sheet, section 3, order of checks: 1 form; 2 known, fresh, no replay; 3 signer; 4 proofs;
5 reprovisioning: component, instance, hardware id, in progress; 6 initial: appliance, duplicate, maximum;
8 once more 6, then issuer, leaf certificates, each certificate, profile.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.attempting import Device
from harness_guardian.enums import ApprovalType, ErrorCode, SignerKeyState, Status
from harness_guardian.peers import SENSOR

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard

pytestmark = [
    pytest.mark.board(driver="guardian-component", needs={"virtual"}),
    pytest.mark.backend(needs={"faults"}),
]

MONTH = 31 * 24 * 3600
VALVE = replace(SENSOR, name="valve")
WARDS = ("Ward A", "Ward B")


class Trial:
    """A board, and what can be wrong with its next request."""

    def __init__(self, board: LeasedBoard, guardian: Any, **definition: Any) -> None:
        """Make the board a sensor of a system of its own.

        :param definition: what of its component is not as usual.
        """
        self.board = board
        self.guardian = guardian
        component = replace(SENSOR, **definition)
        self.system = guardian.create_system(components=[component, VALVE], instances=WARDS)
        self.device = Device(board, guardian, self.system, component=SENSOR.name, hw_id="SN-1")

    def forge(self, what: str, **value: Any) -> None:
        """Let the next request be forged in one respect."""
        self.board.virtual.call("forge", what=what, times=1, **value)

    def with_unknown_key(self) -> None:
        """Give the board a package whose key is not registered."""
        self.system.register(self.system.key, SignerKeyState.RETIRED)

    def fault(self, call: str, **fault: Any) -> None:
        """Let a call of Vault go wrong."""
        self.guardian.vault.fault(self.system.name, call=call, **fault)

    def with_a_twin(self) -> None:
        """Have another device with the board's hardware id."""
        assert self.device.attempt().ended_well
        self.board.driver.restore()
        self.device = Device(self.board, self.guardian, self.system, component=SENSOR.name, hw_id="SN-1")

    def with_lost_identity(self) -> None:
        """Let Vault know the board's certificate no more."""
        serial = self.board.driver.certificates()["identity"].serial
        self.guardian.vault.forget(serial, self.system.name)

    def fails_with(self, code: ErrorCode | None, *, reprovision: bool = False) -> None:
        """Let the board try, and assert how that ends; ``None``: the system rejects it."""
        failed = self.device.attempt(reprovision=reprovision)

        ended = Status.REJECTED_BY_SYSTEM if code is None else Status.ERROR
        assert (failed.row.status, failed.row.error_code) == (ended, code)
        assert failed.changed_nothing


@pytest.fixture
def trial(board: LeasedBoard, guardian: Any) -> Callable[..., Trial]:
    """Make a trial."""
    return lambda **definition: Trial(board, guardian, **definition)


@pytest.fixture
def provisioned(trial: Callable[..., Trial]) -> Trial:
    """Make a trial whose board is provisioned already."""
    made = trial()
    assert made.device.attempt().ended_well
    return made


def order(first: str, second: str) -> pytest.MarkDecorator:
    """Prove that one thing is told and not another one."""
    return pytest.mark.proves("order of checks", f"{first} before {second}")


@order("form", "freshness")
def test_form_before_freshness(trial: Any) -> None:
    """A payload without CSRs that is too old is malformed, and not rejected."""
    made = trial()
    made.forge("payload")
    made.forge("created-at", value=-MONTH)
    made.fails_with(ErrorCode.PR_SIGNATURE_MALFORMED)


@order("form", "signer")
def test_form_before_signer(trial: Any) -> None:
    """A signature of the wrong length by a key that is not registered is malformed."""
    made = trial()
    made.with_unknown_key()
    made.forge("signature-length")
    made.fails_with(ErrorCode.PR_SIGNATURE_MALFORMED)


@order("component known", "signer")
def test_known_before_signer(trial: Any) -> None:
    """A disabled component's request is rejected, whoever signed it."""
    made = trial(enabled=False)
    made.with_unknown_key()
    made.fails_with(None)


@order("freshness", "signer")
def test_freshness_before_signer(trial: Any) -> None:
    """A request that is too old is rejected, whoever signed it."""
    made = trial()
    made.with_unknown_key()
    made.forge("created-at", value=-MONTH)
    made.fails_with(None)


@order("freshness", "signature")
def test_freshness_before_signature(trial: Any) -> None:
    """A request that is too old is rejected, however it is signed."""
    made = trial()
    made.forge("signature")
    made.forge("created-at", value=-MONTH)
    made.fails_with(None)


@order("signer", "signature")
def test_signer_before_signature(trial: Any) -> None:
    """Where the key is not registered, its signature is not looked at."""
    made = trial()
    made.with_unknown_key()
    made.forge("signature")
    made.fails_with(ErrorCode.MISSING_PR_SIGNER_KEY)


@order("signer", "appliance only")
def test_signer_before_appliance_only(trial: Any) -> None:
    """Where the key is not registered, the component's rules are not looked at."""
    made = trial(appliance_only=True)
    made.with_unknown_key()
    made.fails_with(ErrorCode.MISSING_PR_SIGNER_KEY)


@order("signature", "appliance only")
def test_signature_before_appliance_only(trial: Any) -> None:
    """What is not signed well is malformed, and not the appliance's."""
    made = trial(appliance_only=True)
    made.forge("csr-signature")
    made.fails_with(ErrorCode.PR_SIGNATURE_MALFORMED)


@order("signature", "maximum")
def test_signature_before_maximum(trial: Any) -> None:
    """What is not signed well is malformed, and not one too many."""
    made = trial(max_instances=1)
    made.with_a_twin()
    made.forge("signature")
    made.fails_with(ErrorCode.PR_SIGNATURE_MALFORMED)


@order("appliance only", "duplicate")
def test_appliance_only_before_duplicate(trial: Any) -> None:
    """A duplicate for the appliance is told that it is for the appliance."""
    made = trial()
    made.with_a_twin()
    made.system.change(components=[replace(SENSOR, appliance_only=True).fields()])
    made.fails_with(ErrorCode.APPLIANCE_ONLY)


@order("duplicate", "maximum")
def test_duplicate_before_maximum(trial: Any) -> None:
    """A duplicate that is one too many, too, is a duplicate."""
    made = trial(max_instances=1)
    made.with_a_twin()
    made.fails_with(ErrorCode.DUPLICATE_HW_ID_FAILURE)


@order("identity", "signature")
def test_identity_before_signature(provisioned: Trial) -> None:
    """Where Vault does not know the identity, its signature is not looked at."""
    provisioned.with_lost_identity()
    provisioned.forge("signature")
    provisioned.fails_with(ErrorCode.UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER, reprovision=True)


@order("identity", "hardware id")
def test_identity_before_mismatch(provisioned: Trial) -> None:
    """Where Vault does not know the identity, nothing is compared with it."""
    provisioned.with_lost_identity()
    provisioned.device.says(hw_id="SN-2")
    provisioned.fails_with(ErrorCode.UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER, reprovision=True)


@order("signature", "component")
def test_signature_before_component(provisioned: Trial) -> None:
    """What is not signed well is malformed, and not a mismatch."""
    provisioned.device.says(component=VALVE.name)
    provisioned.forge("signature")
    provisioned.fails_with(ErrorCode.PR_SIGNATURE_MALFORMED, reprovision=True)


@order("component", "instance")
def test_component_before_instance(provisioned: Trial) -> None:
    """Another component in another instance is another component."""
    provisioned.device.says(component=VALVE.name, instance_id=provisioned.system.instance(1).id)
    provisioned.fails_with(ErrorCode.REPROVISIONING_MISMATCH_COMPONENT, reprovision=True)


@order("component", "hardware id")
def test_component_before_hardware_id(provisioned: Trial) -> None:
    """Another component with another hardware id is another component."""
    provisioned.device.says(component=VALVE.name, hw_id="SN-2")
    provisioned.fails_with(ErrorCode.REPROVISIONING_MISMATCH_COMPONENT, reprovision=True)


@order("instance", "hardware id")
def test_instance_before_hardware_id(provisioned: Trial) -> None:
    """Another hardware id in another instance is another instance."""
    provisioned.device.says(hw_id="SN-2", instance_id=provisioned.system.instance(1).id)
    provisioned.fails_with(ErrorCode.REPROVISIONING_MISMATCH_INSTANCE, reprovision=True)


@order("hardware id", "in progress")
def test_hardware_id_before_in_progress(provisioned: Trial, guardian: Any) -> None:
    """Another hardware id is a mismatch also while the device is being provisioned."""
    with guardian.hold(provisioned.system.name, Status.PROVISIONING):
        first = provisioned.device.submit(reprovision=True)
        guardian.wait_for(first.request_id, Status.PROVISIONING)
        provisioned.device.says(hw_id="SN-2")
        second = provisioned.device.submit(reprovision=True)
        failed = guardian.wait_until_final(second.request_id)

    assert failed.error_code is ErrorCode.REPROVISIONING_MISMATCH_HARDWARE_IDENTIFIER
    assert guardian.wait_until_final(first.request_id).status is Status.PROVISIONED
    assert provisioned.board.driver.certificates()


@order("mismatch", "time-out of Vault in provisioning")
def test_mismatch_before_provisioning(provisioned: Trial) -> None:
    """A mismatch is found before Vault is asked to sign, and Vault signs nothing."""
    provisioned.fault("sign", kind="status", status=500)
    provisioned.device.says(component=VALVE.name)
    provisioned.fails_with(ErrorCode.REPROVISIONING_MISMATCH_COMPONENT, reprovision=True)


@order("duplicate, once more", "issuer")
def test_duplicate_before_issuer(board: LeasedBoard, guardian: Any) -> None:
    """What was approved twice is a duplicate when provisioning begins, before the issuer is read."""
    system = guardian.create_system(approval=ApprovalType.MANUAL, components=[SENSOR])
    device = Device(board, guardian, system, component=SENSOR.name, hw_id="SN-1")
    first = device.submit()
    guardian.wait_for(first.request_id, Status.NEEDS_APPROVAL)
    board.driver.drop_file("request")
    second = device.submit()
    for made in (first, second):
        guardian.wait_for(made.request_id, Status.NEEDS_APPROVAL)
        guardian.approve(made.request_id)
    guardian.wait_for(second.request_id, Status.COMPLETE_PROVISIONING)
    guardian.provision(first.request_id)
    guardian.wait_until_final(first.request_id)
    guardian.vault.fault(system.name, call="read-issuer", kind="not-found")
    guardian.provision(second.request_id)

    failed = guardian.wait_until_final(second.request_id)

    assert first.request_id != second.request_id
    assert failed.error_code is ErrorCode.DUPLICATE_HW_ID_FAILURE
    assert not board.driver.snapshot().provisioned


@order("issuer", "certificates")
def test_issuer_before_certificates(trial: Any) -> None:
    """Without an issuer nothing is signed, however badly it would be."""
    made = trial()
    made.fault("read-issuer", kind="not-found")
    made.fault("sign", kind="status", status=500)
    made.fails_with(ErrorCode.FAIL_SIGN_MISSING_SIGNER_CERTIFICATE)


@order("leaf certificates", "certificates")
def test_leafs_before_certificates(board: LeasedBoard, guardian: Any) -> None:
    """Where Vault does not know a leaf of the device, no new one is signed."""
    system = guardian.create_system()
    device = Device(board, guardian, system)
    assert device.attempt().ended_well
    guardian.vault.forget(board.driver.certificates()["tls"].serial, system.name)
    guardian.vault.fault(system.name, call="sign", kind="status", status=500)

    failed = device.attempt(reprovision=True)

    assert failed.row.error_code is ErrorCode.UNABLE_LOOKUP_DEVICE_CERTIFICATES
    assert failed.changed_nothing


@order("issuer", "leaf certificates")
def test_issuer_before_leafs(board: LeasedBoard, guardian: Any) -> None:
    """Without an issuer the device's leafs are not looked up."""
    system = guardian.create_system()
    device = Device(board, guardian, system)
    assert device.attempt().ended_well
    guardian.vault.forget(board.driver.certificates()["tls"].serial, system.name)
    guardian.vault.fault(system.name, call="read-issuer", kind="not-found")

    failed = device.attempt(reprovision=True)

    assert failed.row.error_code is ErrorCode.FAIL_SIGN_MISSING_SIGNER_CERTIFICATE
    assert failed.changed_nothing


@order("certificates", "profile")
def test_certificates_before_profile(trial: Any) -> None:
    """Without certificates no profile is signed."""
    made = trial()
    made.fault("sign", kind="status", status=500)
    made.fault("sign-profile", kind="status", status=500)
    made.fails_with(ErrorCode.FAIL_SIGN_DEVICE_CERTIFICATES)
