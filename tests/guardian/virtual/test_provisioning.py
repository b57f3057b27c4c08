"""The agent and the service: connected, disconnected, again, and for another device."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.guardian.making import from_base64url
from tests.guardian.virtual.paper_bench import Refused
from tests.guardian.virtual.paper_service import answer_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.guardian.virtual.paper_bench import BoardInHand
    from tests.guardian.virtual.paper_service import PaperService

PROFILE = "certified-profile"


def only(service: PaperService) -> str:
    """Return the id of the only request that came."""
    (request_id,) = service.rows
    return request_id


def test_connected(ready: BoardInHand, service: PaperService) -> None:
    """A board provisions by itself: one request, three certificates, completed once."""
    assert ready.status()["state"] == "ready"

    outcome = ready.provision()

    row = service.rows[only(service)]
    assert outcome == f"0 OK provisioned (request {only(service)})"
    assert (row.submitted, row.installed) == (1, 1)
    assert sorted(ready.ask("certificates")) == ["identity", "signing", "tls"]
    status = ready.status()
    assert (status["state"], status["certificates"]) == ("provisioned", "3")
    assert status["request_id"] == only(service)
    assert row.profile is not None
    assert (
        status["response_id"] == json.loads(from_base64url(row.profile.decode().split(".")[1]))["response_id"]
    )
    assert ready.get("profile") == row.profile


def test_once_is_enough(provisioned: BoardInHand, service: PaperService) -> None:
    """A board that is provisioned and told to provision does nothing: no request, no second completion."""
    asked = len(service.asked)

    assert provisioned.provision() == "0 OK provisioned already"
    assert len(service.asked) == asked


def test_another_device_afterwards(provisioned: BoardInHand, service: PaperService) -> None:
    """A provisioned board that says it is another device asks for certificates of its own."""
    provisioned.ask("init pump SN-0002")

    assert provisioned.provision().startswith("0 OK provisioned (")
    assert [row.payload["hw_id"] for row in service.rows.values()] == ["SN-0001", "SN-0002"]


def test_waits_for_a_decision(ready: BoardInHand, service: PaperService) -> None:
    """The agent asks the service to wait, goes on waiting, and installs what is decided in the end."""
    service.automatic = False
    service.script("GET", PROFILE, *[answer_json(202, {}, **{"Retry-After": "0"})] * 2)
    ready.call("configure", prefer_wait=7)
    start = ready.start()
    service.wait_asked("GET", PROFILE, times=3)
    assert ready.status()["state"] == "requested"
    service.certify(only(service))

    assert ready.outcome(start).startswith("0 OK")
    assert {each.headers["Prefer"] for each in service.asked if each.path.endswith(PROFILE)} == {"wait=7"}


def test_reprovisioning(provisioned: BoardInHand, service: PaperService) -> None:
    """Signed by the identity, with its chain; every key is a new one; the instance stays the same."""
    first = only(service)
    before = provisioned.ask("certificates")

    assert provisioned.provision("reprovision").startswith("0 OK")

    second = next(row for request_id, row in service.rows.items() if request_id != first)
    assert provisioned.ask("certificates").keys() == before.keys()
    assert set(provisioned.ask("certificates").values()).isdisjoint(before.values())
    assert second.payload["reprovision"] is True
    assert len(second.header["x5c"]) == 2
    assert {each["csr"] for each in second.payload["csrs"]}.isdisjoint(
        each["csr"] for each in service.rows[first].payload["csrs"]
    )
    assert len(service.instances["SN-0001"]) == 1
    assert second.payload["previous"]["response_id"]


def test_old_certificates_serve_while_a_request_is_open(provisioned: BoardInHand) -> None:
    """Until the new ones are switched in the board proves itself with the old keys."""
    before = provisioned.ask("certificates")
    provisioned.ask("request reprovision")

    assert provisioned.status()["state"] == "requested"
    assert provisioned.ask("certificates") == before
    assert bytes.fromhex(provisioned.ask("prove tls 00")["signature"])


def test_cancel(ready: BoardInHand, service: PaperService) -> None:
    """What is under way ends before ``cancel`` is answered; the request stays and is used the next time."""
    service.automatic = False
    start = ready.start()
    service.wait_asked("GET", PROFILE)

    assert ready.say("cancel") == "OK\n"
    assert ready.outcome(start) == "1 FAIL cancelled"
    assert ready.say("cancel") == "ERROR 1 FAIL: nothing is under way\n"

    service.certify(only(service))
    assert ready.provision() == f"0 OK provisioned (request {only(service)})"


def test_one_thing_at_a_time(ready: BoardInHand, service: PaperService) -> None:
    """While a run is under way the agent answers, and refuses whatever would change something."""
    service.automatic = False
    start = ready.start()
    service.wait_asked("GET", PROFILE)

    refused = "ERROR 1 FAIL: something is under way already; cancel ends it\n"
    changing = ["provision", "request", "submit", "install", "complete", "forward", "collect", "erase yes"]
    for line in [*changing, "init a b", f"service {service.url}", "put profile 0 YQ==", "drop request"]:
        assert ready.say(line) == refused, line
    assert ready.status()["state"] == "requested"
    assert ready.ask("identify")["component"] == "pump"
    assert "request" in ready.ask("files")

    service.certify(only(service))
    assert ready.outcome(start).startswith("0 OK")


def test_disconnected(ready: BoardInHand, service: PaperService) -> None:
    """A technician carries the request away and the profile back; ``complete`` waits for a network."""
    ready.call("set_link", up=False)
    ready.ask("request")
    carried = ready.get("request")
    _header, payload = service.read(carried)
    ready.put("profile", service.profile_for(payload))

    ready.ask("install")

    assert ready.status()["state"] == "provisioned"
    assert service.asked == []
    assert ready.say("complete") == "ERROR 1 FAIL: there is no network\n"
    ready.call("set_link", up=True)
    assert (
        ready.say("complete") == "ERROR 1 FAIL: installed, but the service does not take note of it: "
        "status 404: Not found\n"
    )


def test_step_by_step(ready: BoardInHand, service: PaperService) -> None:
    """Request, submit as often as one likes, and ``provision`` for the rest: all of it one request."""
    made = ready.ask("request")["request_id"]

    assert ready.ask("submit") == {"request_id": made, "status": "verifying"}
    assert ready.ask("submit") == {"request_id": made, "status": "provisioned"}
    assert ready.ask("request") == {"request_id": made}
    assert ready.provision() == f"0 OK provisioned (request {made})"
    assert list(service.rows) == [made]


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("request", True),
        ("request format=jws", True),
        ("request format=cose", False),
        ("request source=Cloud", False),
        ("init sensor SN-0001", False),
        ("init pump SN-0002", False),
        ("init pump SN-0001 5d6e3b0c-0a4b-4c1e-9c55-5f3a53e1a002", False),
        ("init pump SN-0001 5d6e3b0c-0a4b-4c1e-9c55-5f3a53e1a001", True),
        ("drop request", False),
    ],
)
def test_open_request_is_kept(ready: BoardInHand, line: str, kept: bool) -> None:  # noqa: FBT001 - a table's column
    """The open request stays, byte for byte, until something that it says is otherwise."""
    first = (ready.ask("request"), ready.get("request"))
    ready.ask(line)

    again = (ready.ask("request"), ready.get("request"))

    assert (again == first) is kept


def test_package_of_another_instance(ready: BoardInHand, service: PaperService) -> None:
    """Another package makes another request; so does a reprovisioning in the place of a first one."""
    first = ready.ask("request")["request_id"]
    instance = {"id": "5d6e3b0c-0a4b-4c1e-9c55-5f3a53e1a002", "name": "Ward B"}
    ready.put("package", service.package(instance=instance))

    second = ready.ask("request")["request_id"]

    assert second != first
    assert service.read(ready.get("request"))[1]["system_instance"] == instance


@pytest.mark.parametrize("form", ["jws", "cose"])
def test_for_another_device(
    ready: BoardInHand,
    make_board: Callable[..., BoardInHand],
    service: PaperService,
    form: str,
) -> None:
    """A board forwards another's request and collects its profile, which only the other one can install."""
    other = make_board(number=1)
    other.put("package", service.package())
    other.ask("init pump SN-FAR")
    far = other.ask(f"request format={form}")["request_id"]
    ready.put("forwarded", other.get("request"))

    assert ready.ask("forward") == {"request_id": far, "status": "verifying"}
    size = ready.ask("collect")["size"]
    collected = ready.get("collected")
    other.put("profile", collected)
    other.ask("install")

    assert int(size) == len(collected)
    assert other.status()["state"] == "provisioned"
    assert ready.status()["state"] == "ready"
    ready.put("profile", collected)
    with pytest.raises(Refused, match="no request is open"):
        ready.ask("install")


def test_collecting_can_be_cancelled(ready: BoardInHand, service: PaperService) -> None:
    """``cancel`` reaches the agent while the console waits; every line is answered, in order."""
    service.automatic = False
    ready.ask("request")
    ready.put("forwarded", ready.get("request"))
    ready.ask("forward")
    start = ready.type(b"collect\ridentify\r")
    service.wait_asked("GET", PROFILE)
    ready.type(b"cancel\r")
    said = ready.host.wait(lambda sent: sent.count(b"OK\r\n") == 2, start).decode()

    lines = said.splitlines()
    assert (lines[0], lines[1], lines[-2:]) == ("ERROR 1 FAIL: cancelled", "model: GC-200", ["OK", "OK"])
