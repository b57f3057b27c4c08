"""What the Guardian suites share: systems, devices of them, how a refusal is judged, the shared check."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import RequestRefused
from harness.evidence import step
from harness_guardian.agreement import disagreements
from harness_guardian.agreement_evidence import collect
from harness_guardian.attempting import VERIFIED, Device
from harness_guardian.client_requests import assert_passed
from harness_guardian.enums import ApprovalType, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from harness.inventory.leased_board import LeasedBoard
    from harness_guardian.attempting import Attempt


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Behind each test: row, history, report, board and Vault's log of each of its systems must agree.

    It is part of the test, so that what it finds counts as the test's failure and not as its fixtures'.
    """
    result = yield
    given: dict[str, Any] = pyfuncitem.funcargs
    guardian = given.get("guardian")
    if guardian is not None and guardian.systems_made:
        boards = [*([given["board"]] if "board" in given else []), *given.get("boards", ())]
        with step("Row, history, report, board and Vault's log are compared"):
            for system in guardian.systems_made:
                found = disagreements(collect(guardian, system, boards))
                assert found == []
    return result


class Refusals:
    """Judge refusals; see :func:`refused`."""

    def __init__(self, *, exact: bool) -> None:
        """Judge statuses exactly, or let any of a refusal pass."""
        self._exact = exact

    @contextmanager
    def __call__(self, status: int, slug: str = "") -> Iterator[None]:
        """Expect a refusal, with this status and kind of problem where the backend's are known."""
        with pytest.raises(RequestRefused) as caught:
            yield
        told = (caught.value.status, getattr(caught.value, "slug", "") if slug else "")
        assert told == (status, slug) or (not self._exact and 400 <= told[0] < 500)


@pytest.fixture
def refused(guardian: Any) -> Refusals:
    """Judge refusals.

    Statuses and problems of the real service are not public (guardian fact sheet, section 10.5: our design),
    so they are asserted only where the backend says that they are known.
    """
    return Refusals(exact="exact-status" in guardian.capabilities)


#: What the seed's section 'Troubleshooting' calls each code.
LABELS = {
    "APPLIANCE_ONLY": "Must be provisioned by appliance",
    "DUPLICATE_HW_ID_FAILURE": "Duplicate HW ID",
    "MISSING_PR_SIGNER_KEY": "Missing PR signer key",
    "PR_SIGNATURE_MALFORMED": "Malformed PR signature",
    "MAX_INSTANCE_FAILURE": "Max instances exceeded",
    "FAIL_SIGN_DEVICE_CERTIFICATES": "Vault could not sign certificates",
    "FAIL_SIGN_DEVICE_CERTIFIED_PROFILE": "Vault could not sign profile",
    "VAULT_REQUEST_TIMEOUT": "Vault request timed out",
    "UNABLE_LOOKUP_PROVISION_REQUEST_SIGNER": "Vault could not find PR signer",
    "UNABLE_LOOKUP_DEVICE_CERTIFICATES": "Vault could not find device leaf certificates",
    "FAIL_SIGN_MISSING_SIGNER_CERTIFICATE": "Vault could not find vault signer certificate",
    "REPROVISIONING_MISMATCH_COMPONENT": "Component mismatch",
    "REPROVISIONING_MISMATCH_HARDWARE_IDENTIFIER": "HW ID mismatch",
    "REPROVISIONING_MISMATCH_INSTANCE": "Instance mismatch",
    "REPROVISIONING_PROVISIONING_COMPONENT": "Device is already provisioning",
}


class Judge:
    """Judge attempts that have to fail; see :func:`judge`."""

    def __init__(self, guardian: Any, approval: ApprovalType, refused: Refusals) -> None:
        """Judge what becomes of devices under an approval type."""
        self._guardian = guardian
        self._approval = approval
        self._refused = refused

    def failed(self, attempt: Attempt, code: str, phase: str = "V") -> None:
        """Assert that a request failed with a code in a phase, at both ends."""
        row = attempt.row
        assert (row.status, row.error_code, row.provisioning_status) == (Status.ERROR, code, LABELS[code])
        way = (Status.VERIFYING,) if phase == "V" else (*VERIFIED[self._approval], Status.PROVISIONING)
        assert_passed(attempt.history, (*way, Status.ERROR))
        assert attempt.history[-1].text == LABELS[code]
        assert (Status.PROVISIONING in attempt.statuses) is (phase == "P")
        self._left_alone(attempt, code)

    def rejected(self, attempt: Attempt) -> None:
        """Assert that a request was rejected by the system, at both ends."""
        row = attempt.row
        assert (row.status, row.error_code) == (Status.REJECTED_BY_SYSTEM, None)
        assert (row.provisioning_status, row.rejected_by) == ("Rejected by system", "System")
        assert_passed(attempt.history, (Status.VERIFYING, Status.REJECTED_BY_SYSTEM))
        self._left_alone(attempt, "Rejected by system")

    def _left_alone(self, attempt: Attempt, told: str) -> None:
        """The board has nothing new, and says why if it asked by itself; there is no profile."""
        assert attempt.changed_nothing
        assert attempt.outcome is None or told in attempt.outcome.text
        with self._refused(409, "failed"):
            self._guardian.certified_profile(attempt.row.id)


@pytest.fixture
def judge(guardian: Any, approval: ApprovalType, refused: Refusals) -> Judge:
    """Judge attempts that have to fail."""
    return Judge(guardian, approval, refused)


@pytest.fixture(autouse=True)
def _without_dwell(guardian: Any) -> None:
    """Let passing states pass at once: tests that look at them hold them."""
    if "faults" in guardian.capabilities:
        guardian.dwell(0.0)


@pytest.fixture(params=list(ApprovalType), ids=lambda value: value.value)
def approval(request: pytest.FixtureRequest) -> ApprovalType:
    """Each approval type in turn."""
    return ApprovalType(request.param)


@pytest.fixture
def system(guardian: Any, approval: ApprovalType) -> Any:
    """A system of each approval type, with an infusion pump that has three certificates."""
    return guardian.create_system(approval=approval)


@pytest.fixture
def device_of(board: LeasedBoard, guardian: Any) -> Callable[..., Device]:
    """Make the board a device of a system; see :class:`~harness_guardian.attempting.Device`."""
    return lambda system, **details: Device(board, guardian, system, **details)


@pytest.fixture
def device(device_of: Callable[..., Device], system: Any) -> Device:
    """The board, a device of the system that has never been provisioned."""
    return device_of(system)


@pytest.fixture
def provisioned(device: Device) -> Device:
    """The board, provisioned."""
    assert device.attempt().ended_well
    return device
