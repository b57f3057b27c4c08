"""How requests move: statuses, times and actors, users at the same time, holds, waiting, ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.enums import Action, ErrorCode, Status
from harness_guardian.fake.choices import FAKE
from harness_guardian.fake.refusals import Refused
from harness_guardian.fake.vault_contract import Failure
from tests.guardian.fake.domain import CLOUD, DEADLINE, Domain, adopt, outcome, passed

if TYPE_CHECKING:
    from collections.abc import Iterator


AUTOMATIC_WAY = ["verifying", "auto_approved", "provisioning", "provisioned"]
MANUAL_WAY = [
    "verifying",
    "needs_approval",
    "approving",
    "complete_provisioning",
    "provisioning",
    "provisioned",
]


class Ticking:
    """A clock that is a second later whenever it is read."""

    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def __call__(self) -> float:
        self.seconds += 1
        return self.seconds


@pytest.fixture(scope="module")
def domain() -> Iterator[Domain]:
    """A service."""
    made = Domain()
    yield made
    made.close()


@pytest.fixture
def ticking() -> Iterator[Domain]:
    """A service whose every moment is another one; it takes requests of any age."""
    years = 100 * 365 * 24 * 3600.0
    choices = replace(FAKE, dwell=0.0, oldest_request=years, newest_request=years)
    made = Domain(choices, source=Ticking())
    yield made
    made.close()


# Statuses, times, actors ----------------------------------------------------------------------------


def test_an_automatic_request_goes_its_way_by_itself(ticking: Domain) -> None:
    """Every status is passed in order, later each time, and the columns say what the history says."""
    row = ticking.submit(ticking.device(ticking.system("Automatic")).request(), "liam")
    assert passed(row) == AUTOMATIC_WAY
    times = [entry.at for entry in row.history]
    assert times == sorted(set(times))
    assert [entry.by for entry in row.history] == ["liam", "System", "System", "System"]
    assert (row.approved_at, row.approved_by) == (times[1], "System")
    assert (row.provisioned_at, row.provisioned_by) == (times[3], "System")
    assert times[2] < (row.response_created_at or 0) < times[3]
    assert row.response_id
    assert row.component_instance is not None
    assert row.component_instance.created_at == times[1]
    assert (row.rejected_at, row.rejected_by) == (None, None)


def test_a_manual_request_waits_for_its_users(ticking: Domain) -> None:
    """One approves, another one provisions: history and columns name each of them."""
    row = ticking.waiting(ticking.system())
    assert (row.component_instance, row.approved_at, row.certified_profile) == (None, None, None)
    ticking.approve(row, "anna")
    assert outcome(row) == "complete_provisioning"
    assert row.component_instance is not None
    assert row.certified_profile is None
    ticking.provision(row, "bert")
    assert passed(row) == MANUAL_WAY
    assert [entry.by for entry in row.history] == [None, "System", "anna", "anna", "bert", "bert"]
    times = [entry.at for entry in row.history]
    assert times == sorted(set(times))
    assert (row.approved_at, row.approved_by) == (times[3], "anna")
    assert row.component_instance.created_at == times[3]
    assert (row.provisioned_at, row.provisioned_by) == (times[5], "bert")
    assert [entry.text for entry in row.history] == [
        "Verifying...",
        "Needs approval",
        "Approving...",
        "Complete provisioning",
        "Provisioning",
        "Provisioned",
    ]


def test_a_rejected_request_says_who_rejected_it(ticking: Domain) -> None:
    """It passes the status of rejecting, ends, and can be approved no more."""
    row = ticking.waiting(ticking.system())
    ticking.act(row, Action.REJECT, "bert")
    assert passed(row) == ["verifying", "needs_approval", "rejecting", "rejected_by_user"]
    assert (row.rejected_at, row.rejected_by) == (row.history[-1].at, "bert")
    assert (row.approved_by, row.provisioned_by, row.component_instance) == (None, None, None)
    with pytest.raises(Refused) as refusal:
        ticking.approve(row)
    assert refusal.value.status == 409


def test_an_error_says_which_and_why(domain: Domain) -> None:
    """The status shows the code's label; history and event have the detail; no profile comes."""
    code = ErrorCode.FAIL_SIGN_DEVICE_CERTIFIED_PROFILE
    domain.vault.failure = Failure(code=code, detail="the transit engine is sealed")
    try:
        row = domain.submit(domain.device(domain.system("Automatic")).request())
    finally:
        domain.vault.failure = None
    assert passed(row) == ["verifying", "auto_approved", "provisioning", "error"]
    last = row.history[-1]
    assert (last.error_code, last.text) == (code, "Vault could not sign profile")
    assert (last.by, last.detail, row.status_text) == ("System", "the transit engine is sealed", last.text)
    failed = [event for event in domain.service.events("acme") if event.kind == "failed"]
    assert failed[-1].facts == {"request_id": row.id, "code": code.value, "detail": last.detail}
    with pytest.raises(Refused) as refusal:
        domain.service.certified_profile(row)
    assert (refusal.value.status, refusal.value.code) == (409, code)


def test_what_comes_of_an_order_stands_in_the_order_of_the_lists(domain: Domain) -> None:
    """Lists are in the order in which requests came, whatever becomes of them."""
    system = domain.system()
    rows = [domain.waiting(system) for _three in range(3)]
    domain.approve(rows[1])
    assert domain.service.visible(domain.user(), system.name) == rows
    assert [row for row in domain.service.visible(domain.user()) if row in rows] == rows


# Ends -----------------------------------------------------------------------------------------------


def test_complete_on_install_waits_for_the_device(domain: Domain) -> None:
    """The profile is there when it is signed; provisioned is the request when the device has installed it."""
    system = domain.system("Manual", complete_on_install=True)
    row = domain.waiting(system)
    for refused in (row, domain.approve(row)):
        assert domain.service.certified_profile(refused) is None
        with pytest.raises(Refused) as refusal:
            domain.service.installed(refused)
        assert refusal.value.status == 409
    version = row.version
    domain.provision(row, "bert")
    assert (row.status, row.provisioned_at) == (Status.PROVISIONING, None)
    assert row.version > version + 1  # whoever waits is told that there is a profile
    assert domain.run(domain.service.wait_until_final(row, DEADLINE))
    assert domain.service.certified_profile(row)
    for _twice in range(2):
        domain.service.installed(row)
        assert passed(row) == MANUAL_WAY
    assert (row.provisioned_by, row.provisioned_at) == ("bert", row.history[-1].at)


def test_while_a_device_installs_it_is_in_progress(domain: Domain) -> None:
    """It has its new identity already, but its first provisioning has not ended."""
    system = domain.system("Automatic", complete_on_install=True)
    device = domain.device(system)
    made = device.request()
    row = domain.submit(made)
    adopt(device, made, row)
    assert outcome(domain.submit(device.request())) == "REPROVISIONING_PROVISIONING_COMPONENT"
    domain.service.installed(row)
    assert outcome(domain.submit(device.request())) == "provisioning"


def test_the_end_of_the_service_ends_what_is_under_way() -> None:
    """A request that is held, or just dwells, keeps nobody from ending."""
    domain = Domain(replace(FAKE, dwell=3600.0))
    row = domain.received(domain.device(domain.system()).request())
    domain.close()
    assert row.status is Status.VERIFYING


def test_a_defect_while_a_request_is_carried_on_is_told(domain: Domain) -> None:
    """Nobody waits for what carries requests on: the loop's own handler hears of it."""
    told: list[Any] = []
    heard = asyncio.Event()

    def hear(_loop: Any, context: Any) -> None:
        told.append(context)
        heard.set()

    async def defect() -> None:
        asyncio.get_running_loop().set_exception_handler(hear)
        row = waiting_row
        row.system_instance = None  # no request is like that: approving it cannot work
        domain.service.act(domain.user(), CLOUD, row, Action.APPROVE)
        await heard.wait()
        asyncio.get_running_loop().set_exception_handler(None)

    waiting_row = domain.waiting(domain.system())
    domain.run(defect())
    assert isinstance(told[0]["exception"], ValueError)
    assert waiting_row.status is Status.APPROVING
