"""Faults to order: who may order what, whom they strike, and the very bytes that come then (section 9)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import cbor2
import pytest

from harness_nordic.fake.damage import HANG_UP, HangUp
from harness_nordic.fake.faults import MOST_FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.nordic.fake.conftest import Site

OK = "OK\r\n"
CA: dict[str, Any] = {"serverCertificate": {"secTag": 5, "content": "PEM"}}


def order(site: Site, **wanted: Any) -> str:
    """Order a fault for the site's device."""
    body = {"device": site.device.id, "on": "fetch", "kind": "status", **wanted}
    answer = site.control.ask("POST", "/faults", json=body)
    assert answer.status_code == 201, answer.text
    identifier: str = answer.json()["id"]
    return identifier


def faults(site: Site) -> list[dict[str, Any]]:
    """Return the faults that are ordered."""
    items: list[dict[str, Any]] = site.control.ask("GET", "/faults").json()["items"]
    return items


def test_status(claimed: Site) -> None:
    """An ordered status comes with an error body in place of the work, as often as ordered."""
    claimed.add(CA)
    order(claimed, status=503, times=2)

    answers = [claimed.fetch() for _time in range(3)]

    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].json() == {"message": "a fault was ordered", "code": 50300}
    assert [(fault["left"], fault["struck"]) for fault in faults(claimed)] == [(0, 2)]


@pytest.mark.parametrize("status", [204, 304])
def test_status_without_a_body(claimed: Site, status: int) -> None:
    """A status that has no body comes without one."""
    order(claimed, on="report", status=status)

    answer = claimed.world.ask("POST", "/v1/provisioning/response", key=claimed.device.jwt(), content=b"x")

    assert (answer.status_code, answer.content) == (status, b"")


def test_truncated(claimed: Site) -> None:
    """Half of the batch comes, with a length that says so; no decoder reads it."""
    claimed.add(CA)
    order(claimed, kind="truncated")

    answer = claimed.fetch()

    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(answer.content)
    with pytest.raises(cbor2.CBORDecodeEOF):
        cbor2.loads(answer.content)
    (element,) = claimed.served()
    assert cbor2.dumps([element]).startswith(answer.content)


def test_indefinite(claimed: Site) -> None:
    """The outer array has no length but an end; its contents are right (section 3.4)."""
    claimed.add(CA)
    claimed.add({"finished": {}})
    order(claimed, kind="indefinite")

    damaged = claimed.fetch().content

    assert (damaged[:1], damaged[-1:]) == (b"\x9f", b"\xff")
    assert cbor2.loads(damaged) == claimed.served()


@pytest.mark.parametrize("limit", ["1", "5", "30"])
def test_too_many(claimed: Site, limit: str) -> None:
    """One command more than the device takes; those that are meant stand in front."""
    commands = [claimed.add({"finished": {}}) for _number in range(2)]
    order(claimed, kind="too-many")

    elements = claimed.served(limit=limit)

    assert len(elements) == int(limit) + 1
    assert elements[0] == [f"{commands[0]['id']}.1", 2]


def test_too_many_for_an_endless_device(claimed: Site) -> None:
    """A device that claims to take a thousand million commands gets no gigabyte for it."""
    claimed.add({"finished": {}})
    order(claimed, kind="too-many")
    order(claimed, kind="oversize")

    assert len(claimed.served(limit="999999999")) == 1001
    assert len(claimed.fetch(rxMaxSize="999999999").content) == 1024 * 1024 + 1


@pytest.mark.parametrize(("size", "expected"), [("2304", 2305), (None, 1024 * 1024 + 1)])
def test_oversize(claimed: Site, size: str | None, expected: int) -> None:
    """The body alone is larger than the device's buffer, though its array is right."""
    claimed.add({"finished": {}})
    order(claimed, kind="oversize")

    body = claimed.fetch(rxMaxSize=size).content

    assert len(body) == expected
    assert cbor2.loads(body) == claimed.served()


def test_garbage(claimed: Site) -> None:
    """Bytes that are nothing, also where there is nothing to do; no command is handed out for them."""
    command = claimed.add(CA)
    order(claimed, kind="garbage")

    answer = claimed.fetch()

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/cbor")
    with pytest.raises(cbor2.CBORError):
        cbor2.loads(answer.content)
    assert claimed.command(command)["status"] == "PENDING"


def test_duplicate_on_fetch(claimed: Site) -> None:
    """What was served last comes again, byte for byte, though it was reported long ago."""
    command = claimed.add(CA)
    order(claimed, kind="duplicate")  # waits: nothing was served yet
    first = claimed.fetch()
    claimed.report([cbor2.loads(first.content)[0][0], 100, OK])

    again = claimed.fetch()

    assert again.content == first.content
    assert claimed.command(command)["status"] == "SUCCEEDED"
    assert claimed.fetch().status_code == 204


@pytest.mark.parametrize("kind", ["truncated", "indefinite", "too-many", "oversize"])
def test_fault_about_commands_waits_for_some(claimed: Site, kind: str) -> None:
    """Where there are no commands a fault about them does not strike, and is not used up."""
    order(claimed, kind=kind)

    assert claimed.fetch().status_code == 204
    assert [fault["left"] for fault in faults(claimed)] == [1]


@pytest.mark.parametrize(("status", "expected"), [(500, 500), (204, 204)])
def test_lost_answer(claimed: Site, status: int, expected: int) -> None:
    """The work is done, and the answer says something else."""
    command = claimed.add(CA)
    order(claimed, kind="lost-answer", status=status)
    order(claimed, on="report", kind="lost-answer", status=status)

    assert claimed.fetch().status_code == expected
    assert claimed.command(command)["status"] == "IN_PROGRESS"
    ((identifier, *_rest),) = claimed.served()
    assert claimed.report([identifier, 100, OK]) == expected
    assert claimed.command(command)["status"] == "SUCCEEDED"


def test_lost_refusal(site: Site) -> None:
    """The answer that is lost may be a refusal."""
    order(site, on="management", kind="lost-answer", status=502)
    assert site.ask("GET", f"/v1/claimed-devices/{site.device.id}").status_code == 502
    assert site.ask("GET", f"/v1/claimed-devices/{site.device.id}").status_code == 404


@pytest.mark.parametrize("kind", ["truncated", "garbage"])
def test_damaged_report(claimed: Site, kind: str) -> None:
    """A report that was damaged on its way is 400, and right the next time."""
    command = claimed.add(CA)
    ((identifier, *_rest),) = claimed.served()
    order(claimed, on="report", kind=kind)

    assert claimed.report([identifier, 100, OK]) == 400
    assert claimed.command(command)["status"] == "IN_PROGRESS"
    assert claimed.report([identifier, 100, OK]) == 200


def test_delay(claimed: Site) -> None:
    """A delayed answer is the right one."""
    command = claimed.add(CA)
    order(claimed, kind="delay", seconds=0.01)

    assert claimed.served()[0][0] == f"{command['id']}.1"
    assert [fault["struck"] for fault in faults(claimed)] == [1]


@pytest.mark.parametrize("kind", ["truncated", "garbage"])
def test_damaged_management_answer(claimed: Site, kind: str) -> None:
    """The answer of the management API is no JSON any more; what was asked was done, or read."""
    path = f"/v1/claimed-devices/{claimed.device.id}"
    order(claimed, on="management", kind=kind)

    assert claimed.ask("POST", f"{path}/block").status_code == 204  # no body: nothing to damage
    answer = claimed.ask("GET", path)

    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r".*"):
        answer.json()
    assert claimed.ask("GET", path).json()["status"] == "BLOCKED"


def test_team_of_a_fault(claimed: Site) -> None:
    """A fault for a team strikes its calls and its devices, and nobody else's."""
    other = claimed.team()
    stranger = claimed.enrolled(2)
    claimed.claim(stranger, key=other["api_key"])
    order(claimed, device=None, owner=other["owner_id"], status=500, times=9)
    order(claimed, device=None, owner=other["owner_id"], on="management", status=500, times=9)

    assert claimed.fetch().status_code == 204
    assert claimed.fetch(stranger).status_code == 500
    assert claimed.ask("GET", "/v1/claimed-devices").status_code == 200
    assert claimed.ask("GET", "/v1/claimed-devices", key=other["api_key"]).status_code == 500
    assert claimed.ask("GET", "/v1/claimed-devices", key="nobody").status_code == 401
    assert claimed.world.ask("GET", "/v1/claimed-devices").status_code == 401


def test_unclaimed_device(site: Site) -> None:
    """A fault for a device strikes it also where nobody has claimed it; a blocked one as well."""
    order(site, status=500)
    assert [site.fetch().status_code for _time in range(2)] == [500, 401]

    site.claim()
    site.ask("POST", f"/v1/claimed-devices/{site.device.id}/block")
    order(site, status=500)
    assert [site.fetch().status_code for _time in range(2)] == [500, 403]


def test_oldest_first(claimed: Site) -> None:
    """Each request meets one fault, in the order in which they were ordered."""
    for status in (500, 404):
        order(claimed, status=status)

    assert [claimed.fetch().status_code for _time in range(3)] == [500, 404, 204]


def test_removal(claimed: Site) -> None:
    """A fault that was taken back strikes no more; one that is not there is 404; a team's go together."""
    first = order(claimed, status=500, times=9, orderer="me")
    order(claimed, status=500, times=9, orderer="me")
    other = order(claimed, status=404, times=9, orderer="you")
    assert claimed.control.ask("DELETE", f"/faults/{first}").status_code == 204
    assert claimed.control.ask("DELETE", f"/faults/{first}").status_code == 404

    removed = claimed.control.ask("DELETE", "/faults", params={"orderer": "me"})

    assert removed.json() == {"removed": 1}
    assert [fault["id"] for fault in faults(claimed)] == [other]
    assert claimed.fetch().status_code == 404
    assert claimed.control.ask("DELETE", "/faults").status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "magic"},
        {"on": "everywhere"},
        {"device": "x"},
        {"device": None},
        {"status": 99},
        {"status": 600},
        {"status": 200},
        {"kind": "delay", "seconds": -1},
        {"kind": "delay", "seconds": 1e9},
        {"times": 0},
        {"on": "report", "kind": "oversize"},
        {"on": "report", "kind": "too-many"},
        {"on": "management", "kind": "duplicate"},
        {"on": "management", "kind": "indefinite"},
        {"more": 1},
    ],
    ids=repr,
)
def test_unfit_faults(claimed: Site, change: dict[str, Any]) -> None:
    """A fault that makes no sense, or would strike everybody, is 400 and orders nothing."""
    body = {"device": claimed.device.id, "on": "fetch", "kind": "status", "status": 500, **change}

    answer = claimed.control.ask("POST", "/faults", json=body)

    assert answer.status_code == 400
    assert answer.json()["message"]
    assert faults(claimed) == []


def test_most_faults(claimed: Site) -> None:
    """There is an end to faults that nobody takes back."""
    service = claimed.fake.provisioning.faults
    order(claimed, status=500)
    fault = service.ordered()[0]
    service._ordered.update({str(number): fault for number in range(MOST_FAULTS - 1)})

    body = {"device": claimed.device.id, "on": "fetch", "kind": "status", "status": 500}
    assert claimed.control.ask("POST", "/faults", json=body).status_code == 400


def test_events(claimed: Site) -> None:
    """A fault that struck is seen in the device's log and among the events of the service."""
    identifier = order(claimed, status=500)
    claimed.fetch()
    claimed.fetch()

    log = claimed.control.ask("GET", "/events", params={"device": claimed.device.id}).json()["items"]
    events = claimed.control.ask("GET", "/events").json()["items"]

    assert [(entry["status"], entry["fault"]) for entry in log] == [(500, "status"), (204, None)]
    assert [(event["what"], event["fault"], event["device"]) for event in events] == [
        ("fault", identifier, claimed.device.id)
    ]


def test_hanging_up() -> None:
    """No answer: the connection is closed by what the runner offers, and nothing is sent."""
    closed: list[str] = []
    messages = iter([{"type": "http.request"}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        raise AssertionError(message)

    hang_up: Callable[[], None] = lambda: closed.append("closed")  # noqa: E731 - one word
    asyncio.run(HangUp()({"extensions": {HANG_UP: hang_up}}, receive, send))

    assert closed == ["closed"]
    assert next(messages, None) is None
