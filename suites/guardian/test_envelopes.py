"""What a request is signed as: JWS or COSE, and what becomes of one that does not meet expectations.

The board itself forges. Guardian fact sheet, sections 3 and 10.3; seed: "The signature of the PR did not
meet expectations and could not be verified".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.attempting import Device
from harness_guardian.enums import ErrorCode, Status
from harness_guardian.peers import SENSOR

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="guardian-component")

FORGED = pytest.mark.board(driver="guardian-component", needs={"virtual"})
FORMS = pytest.mark.parametrize("form", ["jws", "cose"])
TEXT = "Malformed PR signature"


def forgeries(*names: str) -> pytest.MarkDecorator:
    """Make a parameter of each forgery, which proves what becomes of it."""
    return pytest.mark.parametrize(
        "what",
        [
            pytest.param(name, marks=pytest.mark.proves("PR_SIGNATURE_MALFORMED", f"forged: {name}"))
            for name in names
        ],
    )


@pytest.fixture
def device(board: LeasedBoard, guardian: Any) -> Device:
    """The board, a device of a system with automatic approval."""
    system = guardian.create_system(components=[SENSOR])
    return Device(board, guardian, system, component=SENSOR.name)


def forge(device: Device, what: str, **value: Any) -> None:
    """Let the board's next request be forged in one respect."""
    device.board.virtual.call("forge", what=what, times=1, **value)


@FORMS
@pytest.mark.proves("envelope", "initial request as JWS and as COSE")
def test_initial(device: Device, form: str) -> None:
    """Both forms are taken, and the board installs what it is answered with."""
    attempt = device.attempt(format=form)

    assert attempt.ended_well
    content = device.board.driver.get_file("request")
    assert content.startswith(b"{" if form == "jws" else b"\xd2\x84")


@pytest.mark.parametrize(("first", "second"), [("jws", "cose"), ("cose", "jws"), ("cose", "cose")])
@pytest.mark.proves("envelope", "reprovisioning in the same form or the other")
def test_reprovision(device: Device, first: str, second: str) -> None:
    """A device may change the form: its identity is the same."""
    assert device.attempt(format=first).ended_well
    again = device.attempt(reprovision=True, format=second)

    assert again.ended_well
    assert again.before.response_id != again.after.response_id


@pytest.mark.proves("envelope", "both forms as a file whose kind nobody said")
@FORMS
def test_file_of_unknown_kind(board: LeasedBoard, guardian: Any, device: Device, form: str) -> None:
    """A browser may not know what a .mcpr is: the service sees it from the content."""
    made = board.driver.make_request(format=form)
    guardian.limited.submit(made.content, media_type="application/octet-stream", as_form=True)
    device.carry(made.request_id)
    device.install(made.request_id)

    assert board.driver.status().response_id == guardian.request(made.request_id).response_id


@FORGED
@FORMS
@forgeries(
    "signature",
    "signature-length",
    "no-signature",
    "algorithm",
    "payload",
    "csr-signature",
    "csr-key-of-signer",
    "reprovision-flag",
)
def test_forged_initial_request(device: Device, form: str, what: str) -> None:
    """What is forged is found: the label, the code, and a board that stays blank and can do better."""
    forge(device, what)

    failed = device.attempt(format=form)

    assert (failed.row.error_code, failed.row.provisioning_status) == (
        ErrorCode.PR_SIGNATURE_MALFORMED,
        TEXT,
    )
    assert failed.changed_nothing
    assert failed.statuses == (Status.VERIFYING, Status.ERROR)
    assert device.attempt(format=form).ended_well


@FORGED
@FORMS
@forgeries("signature", "csr-key-of-signer", "reprovision-flag", "csr-signature")
def test_forged_reprovision(device: Device, form: str, what: str) -> None:
    """A forged reprovision leaves the device as it was, and a good one can follow."""
    assert device.attempt().ended_well
    forge(device, what)

    failed = device.attempt(reprovision=True, format=form)

    assert failed.row.error_code is ErrorCode.PR_SIGNATURE_MALFORMED
    assert failed.changed_nothing
    assert device.attempt(reprovision=True, format=form).ended_well


@FORGED
@FORMS
@pytest.mark.backend(needs={"exact-status", "vault-log"})
@pytest.mark.proves("envelope", "400 without a row: not even the payload can be read")
def test_undecodable(board: LeasedBoard, guardian: Any, device: Device, form: str) -> None:
    """What says not even whose it is makes no row; the board is told, and stays blank."""
    forge(device, "undecodable")
    outcome = board.driver.provision(format=form)

    assert not outcome.ok
    assert device.system.rows() == []
    assert not board.driver.snapshot().provisioned
    assert "sign" not in {call.call for call in guardian.vault.log(device.system.name)}
