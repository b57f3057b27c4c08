"""Submitting: rows, the same bytes again, replays, freshness, doors and users."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.fake.refusals import Refused
from tests.guardian.fake.domain import APPLIANCE, CLOUD, Domain, component, outcome
from tests.guardian.making import base64url, rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness_guardian.fake.records import System

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


class Stopped:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.seconds = NOW.timestamp()

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(scope="module")
def domain() -> Iterator[Domain]:
    """A service."""
    made = Domain()
    yield made
    made.close()


@pytest.fixture(scope="module")
def manual(domain: Domain) -> System:
    """A Manual system."""
    return domain.system()


@pytest.fixture
def stopped() -> Iterator[Domain]:
    """A service whose clock stands still."""
    made = Domain(source=Stopped())
    yield made
    made.close()


def test_the_row_of_a_new_request(domain: Domain, manual: System) -> None:
    """A row has the request's own id, its door, and the names as the system knows them."""
    made = domain.device(manual).request()
    row = domain.submit(made)
    assert (row.id, row.door, row.uploaded_by, row.content) == (made.request_id, CLOUD, None, made.content)
    ward = manual.instance_named("Ward A")
    assert ward is not None
    assert (row.system_instance_name, row.system_instance_id) == ("Ward A", ward.id)
    assert (row.system_name, row.component_name, row.hw_id) == (manual.name, "pump", made.payload["hw_id"])
    assert row.approval_type == "Manual"
    assert row.component_instance is None
    assert row.history[0].at == row.created_at


@pytest.mark.parametrize("stated", ["id", "name", "both"])
def test_an_instance_is_named_by_id_or_name(domain: Domain, manual: System, stated: str) -> None:
    """Either names it, and so do both."""
    ward = manual.instance_named("Ward B")
    assert ward is not None
    instance = {"id": {"id": ward.id}, "name": {"name": "Ward B"}, "both": {"id": ward.id, "name": "Ward B"}}
    row = domain.submit(domain.device(manual, instance=instance[stated]).request())
    assert (outcome(row), row.system_instance) == ("needs_approval", ward)


@pytest.mark.parametrize(
    "stated", [{"name": "Ward C"}, {"id": "0b1d8fa2-6d3b-4b1c-9a4e-2f6f0c3a5e77"}, "mixed"]
)
def test_an_unknown_instance_is_rejected_by_the_system(domain: Domain, manual: System, stated: Any) -> None:
    """Nobody is provisioned into an instance that the system has not; the row shows what was said."""
    ward = manual.instance_named("Ward A")
    assert ward is not None
    instance = {"id": ward.id, "name": "Ward B"} if stated == "mixed" else stated
    row = domain.submit(domain.device(manual, instance=instance).request())
    assert (outcome(row), row.rejected_by) == ("rejected_by_system", "System")
    assert (row.system_instance_name, row.system_instance_id) == (
        instance.get("name", ""),
        instance.get("id", ""),
    )


def test_the_same_bytes_come_to_the_same_row(domain: Domain, manual: System) -> None:
    """Submitting again is safe: the row is the one that is there, also when it has ended."""
    made = domain.device(manual).request()
    row = domain.submit(made, "anna")
    again = domain.run(domain.service.submit(made.content, made.media_type, CLOUD, None))
    assert (again.request, again.created) == (row, False)
    assert len([each for each in domain.service.visible(domain.user(), manual.name) if each is row]) == 1


@pytest.mark.parametrize("what", ["request_id", "nonce"])
def test_other_bytes_with_a_used_id_or_nonce_are_a_replay(domain: Domain, manual: System, what: str) -> None:
    """A replay has a row of its own with an id of the service's, and is rejected by the system."""
    first = domain.device(manual).request()
    row = domain.submit(first)
    replay = domain.device(manual).request(**{what: first.payload[what]})
    replayed = domain.submit(replay)
    assert outcome(replayed) == "rejected_by_system"
    assert replayed.id not in {first.request_id, replay.request_id}
    assert replayed.history[-1].detail == "the request id or the nonce was used before"
    assert domain.service.request(CLOUD, first.request_id) is row
    assert outcome(row) == "needs_approval"


def test_what_a_replay_has_named_is_used_up_too(domain: Domain, manual: System) -> None:
    """The new request id of a replayed nonce cannot be used again."""
    first = domain.device(manual).request()
    domain.submit(first)
    replay = domain.device(manual).request(nonce=first.payload["nonce"])
    domain.submit(replay)
    third = domain.submit(domain.device(manual).request(request_id=replay.request_id))
    assert outcome(third) == "rejected_by_system"


def test_both_doors_take_the_same_request(domain: Domain) -> None:
    """What the cloud refuses as a matter of the appliance, the appliance takes: there it is no replay."""
    system = domain.system("Manual", component(appliance_only=True))
    made = domain.device(system).request()
    cloud, appliance = domain.submit(made), domain.submit(made, door=APPLIANCE)
    assert (outcome(cloud), outcome(appliance)) == ("APPLIANCE_ONLY", "needs_approval")
    assert cloud.id == appliance.id == made.request_id
    assert domain.service.request(CLOUD, made.request_id) is cloud
    assert domain.service.request(APPLIANCE, made.request_id) is appliance


@pytest.mark.parametrize("settings", [{"provision_source": "Appliance"}, {}])
def test_the_source_of_a_system_is_that_of_its_components(domain: Domain, settings: dict[str, Any]) -> None:
    """In a system for appliances every component is for appliances only."""
    system = domain.system("Manual", **settings)
    row = domain.submit(domain.device(system).request())
    assert outcome(row) == ("APPLIANCE_ONLY" if settings else "needs_approval")


@pytest.mark.parametrize("door", [CLOUD, APPLIANCE])
@pytest.mark.parametrize("source", ["Cloud", "Appliance", None])
def test_a_request_for_another_door_is_rejected(
    domain: Domain, manual: System, door: Any, source: str | None
) -> None:
    """What a request says of its Guardian has to be true of the one that it comes to."""
    row = domain.submit(domain.device(manual).request(source=source), door=door)
    assert outcome(row) == ("needs_approval" if source in {None, door.value} else "rejected_by_system")


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(days=30), "needs_approval"),
        (timedelta(days=30, seconds=1), "rejected_by_system"),
        (timedelta(minutes=-5), "needs_approval"),
        (timedelta(minutes=-5, seconds=-1), "rejected_by_system"),
    ],
)
@pytest.mark.parametrize("form", ["jws", "cose"])
def test_a_request_is_fresh_for_30_days(stopped: Domain, age: timedelta, expected: str, form: str) -> None:
    """Thirty days old and five minutes ahead are the limits, to the second."""
    device = stopped.device(stopped.system())
    assert outcome(stopped.submit(device.request(form, created_at=rfc3339(NOW - age)))) == expected


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_moment_outside_the_years_of_utc_is_not_fresh(domain: Domain, manual: System, moment: str) -> None:
    """The earliest and the latest moments that can be written are rejected as any others that are far off."""
    row = domain.submit(domain.device(manual).request(created_at=moment))
    assert outcome(row) == "rejected_by_system"


def test_freshness_is_a_matter_of_the_shifted_clock(stopped: Domain) -> None:
    """A request that is fresh today is too old when the organisation's clock is a month ahead."""
    system = stopped.system()
    stopped.service.order_clock("acme", 30 * 24 * 3600.0 + 1)
    late = stopped.submit(stopped.device(system).request(created_at=rfc3339(NOW)))
    stopped.service.withdraw_orders("acme")
    fresh = stopped.submit(stopped.device(system).request(created_at=rfc3339(NOW)))
    assert [outcome(row) for row in (late, fresh)] == ["rejected_by_system", "needs_approval"]
    assert late.created_at - fresh.created_at == 30 * 24 * 3600 + 1


@pytest.mark.parametrize("who", [None, "anna"])
def test_an_unknown_system(domain: Domain, who: str | None) -> None:
    """Of a user's file there is a row in the user's organisation; a device has nowhere to have one."""
    device = domain.device(domain.system())
    device.system = "Nowhere"
    if who is None:
        with pytest.raises(Refused) as refusal:
            domain.submit(device.request())
        assert (refusal.value.status, refusal.value.slug) == (404, "unknown-system")
        return
    row = domain.submit(device.request(), who)
    assert (outcome(row), row.rejected_by, row.approval_type) == ("rejected_by_system", "System", None)
    assert row in domain.service.visible(domain.user(), "Nowhere")


def test_an_unknown_system_with_a_bad_signature_is_malformed(domain: Domain) -> None:
    """The form of a request is looked at before its system."""
    device = domain.device(domain.system())
    device.system = "Nowhere"
    assert outcome(domain.submit(device.request(nonce="AAAA"), "anna")) == "PR_SIGNATURE_MALFORMED"


def test_a_system_of_another_organisation_is_unknown(domain: Domain, manual: System) -> None:
    """A user brings requests to their own organisation, where the other's system is not."""
    stranger = domain.service.add_organisation("other")[0].users["anna"]
    made = domain.device(manual).request()
    own = domain.submit(made)
    submission = domain.run(domain.service.submit(made.content, made.media_type, CLOUD, stranger))
    theirs = domain.settled(submission.request)
    assert (outcome(own), outcome(theirs)) == ("needs_approval", "rejected_by_system")
    assert theirs.id != own.id
    assert own not in domain.service.visible(stranger)
    assert theirs not in domain.service.visible(domain.user())


@pytest.mark.parametrize(("who", "takes"), [("anna", True), ("liam", True), ("rita", False)])
def test_who_may_upload(domain: Domain, manual: System, who: str, *, takes: bool) -> None:
    """Admins and Limited users bring requests; a Reporter only looks."""
    made = domain.device(manual).request()
    if takes:
        row = domain.submit(made, who)
        assert (row.uploaded_by, row.history[0].by) == (who, who)
        return
    with pytest.raises(Refused) as refusal:
        domain.submit(made, who)
    assert (refusal.value.status, refusal.value.slug) == (403, "role")
    assert not [row for row in domain.service.visible(domain.user()) if row.content == made.content]


@pytest.mark.parametrize(
    "changes",
    [
        {"request_id": "7"},
        {"request_id": "0B1D8FA2-6D3B-4B1C-9A4E-2F6F0C3A5E77"},
        {"hw_id": "x" * 37},
        {"hw_id": "SN\x07"},
        {"hw_id": "SN-é"},
        {"ver": 2},
        {"nonce": base64url(bytes(15))},
        {"nonce": base64url(bytes(17))},
        {"created_at": "2026-11-21T12:00:00"},
        {"created_at": "21 Nov 2026"},
        {"source": "Moon"},
        {"system_instance": {}},
        {"system_instance": None},
        {"reprovision": "no"},
        {"csrs": []},
        {"previous": {"response_id": "7"}},
    ],
    ids=str,
)
def test_a_payload_that_breaks_the_schema_has_a_row(
    domain: Domain, manual: System, changes: dict[str, Any]
) -> None:
    """It is malformed, and the row shows it under an id that can be asked for."""
    row = domain.submit(domain.device(manual).request(**changes))
    assert outcome(row) == "PR_SIGNATURE_MALFORMED"
    assert uuid.UUID(row.id)
    assert domain.service.request(CLOUD, row.id) is row
    assert (row.payload, row.nonce is None) == (None, "nonce" in changes)


def test_a_hardware_id_has_36_characters_and_the_form_of_its_component(domain: Domain) -> None:
    """The longest id is taken; one that the component's pattern does not have is rejected by the system."""
    system = domain.system("Manual", component(hw_id_pattern="[0-9]+"))
    rows = [domain.submit(domain.device(system, hw_id=hw_id).request()) for hw_id in ("7" * 36, "7x", "x7")]
    assert [outcome(row) for row in rows] == ["needs_approval", "rejected_by_system", "rejected_by_system"]


def test_what_later_devices_say_more_is_left_alone(domain: Domain, manual: System) -> None:
    """Evidence, and fields that nobody knows yet, do not break a request."""
    row = domain.submit(domain.device(manual).request(evidence={"eat": "token"}, later=[1]))
    assert outcome(row) == "needs_approval"


@pytest.mark.parametrize("nonce", ["", "AAAA", "+", "é"])
def test_only_the_device_knows_the_nonce(domain: Domain, manual: System, nonce: str) -> None:
    """A device reads its own request by its nonce, and by nothing else."""
    made = domain.device(manual).request()
    row = domain.submit(made)
    assert domain.service.is_device_of(row, made.payload["nonce"])
    assert not domain.service.is_device_of(row, nonce)
    malformed = domain.submit(domain.device(manual).request(nonce="AAAA"))
    assert not domain.service.is_device_of(malformed, nonce)
