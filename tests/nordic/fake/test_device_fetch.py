"""What a device is handed out, and who may fetch (nrfcloud fact sheet, sections 3.1, 3.2 and 3.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cbor2
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.nordic.fake.conftest import Site


OK = "OK\r\n"

CA = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"


def ca(tag: int = 5, content: str = CA) -> dict[str, Any]:
    """Ask for a server certificate."""
    return {"serverCertificate": {"secTag": tag, "content": content}}


def test_limit(claimed: Site) -> None:
    """Never more than ``limit`` elements; five for clients too old to say; pairs stay together."""
    for _number in range(4):
        claimed.add({"cloudAccessKeyGeneration": {"secTag": 5}})

    assert len(claimed.served(limit=None)) == 4
    assert len(claimed.served(limit="3")) == 2
    assert len(claimed.served(limit="8")) == 8


def test_order(claimed: Site) -> None:
    """Commands come in the order of their creation, over several fetches."""
    commands = [claimed.add({"config": {"properties": {"n": str(n)}}}) for n in range(7)]
    order = []
    after = ""
    while batch := claimed.served(limit="3", after=after):
        order += [element[2]["n"] for element in batch]
        after = batch[-1][0]
        assert claimed.report(*([element[0], 101] for element in batch)) == 200

    assert order == [str(n) for n in range(7)]
    assert {claimed.command(command)["status"] for command in commands} == {"SUCCEEDED"}


def test_answers_fit_the_device(claimed: Site) -> None:
    """Body and 400 bytes for headers stay below ``rxMaxSize``; what does not fit now comes next time."""
    commands = [claimed.add(ca(content="x" * 300)) for _number in range(3)]

    response = claimed.fetch(rxMaxSize="1200")
    batch = cbor2.loads(response.content)
    assert len(batch) == 2
    assert len(response.content) + 400 < 1200

    assert claimed.report(*([element[0], 100, OK] for element in batch)) == 200
    assert claimed.served(rxMaxSize="1200")[0][0].startswith(commands[2]["id"])


def test_no_limits_stated(claimed: Site) -> None:
    """A client that states no sizes gets everything."""
    claimed.add(ca(content="x" * 5000))

    assert len(claimed.served(rxMaxSize=None, txMaxSize=None)) == 1


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"rxMaxSize": "1024"}, "does not fit device buffer"),
        ({"txMaxSize": "1000"}, "buffer for AT commands"),
    ],
)
def test_command_that_never_fits(claimed: Site, query: dict[str, Any], why: str) -> None:
    """A command too large for the device's buffers fails with that reason, before it is ever sent."""
    command = claimed.add(ca(content="x" * 1000))

    assert claimed.served(**query) == []

    failed = claimed.command(command)
    assert failed["status"] == "FAILED"
    assert why in failed["response"]["serverCertificate"]["error"]["message"]
    assert claimed.status() == "ERROR"


def test_size_of_an_at_command_to_the_byte(claimed: Site) -> None:
    """``AT``, name, ``=``, parameters and the final NUL fit ``txMaxSize`` exactly, or not at all."""
    # AT%CMNG=0,5,0,"xxx" + NUL: 8 + 7 + 3 + 1 + 1
    command = claimed.add(ca(content="xxx"))
    assert len(claimed.served(txMaxSize="20")) == 1
    assert claimed.command(command)["status"] == "IN_PROGRESS"

    assert claimed.served(txMaxSize="19") == []
    assert claimed.command(command)["status"] == "FAILED"


def test_pair_for_a_device_that_takes_one(claimed: Site) -> None:
    """Two steps that belong together cannot be given to a device that takes one at a time."""
    first = claimed.add({"config": {"properties": {}}})
    pair = claimed.add({"cloudAccessKeyGeneration": {"secTag": 5}})

    ((identifier, *_),) = claimed.served(limit="1")
    assert claimed.report([identifier, 101]) == 200
    assert claimed.served(limit="1") == []

    assert claimed.command(first)["status"] == "SUCCEEDED"
    assert claimed.command(pair)["status"] == "FAILED"


def test_lost_report(claimed: Site) -> None:
    """What was processed is not served again while the device remembers it, but is after a reboot."""
    for _number in range(3):
        claimed.add({"config": {"properties": {}}})
    ids = [element[0] for element in claimed.served(limit="2")]

    remembered = [element[0] for element in claimed.served(after=ids[1])]
    assert len(remembered) == 1
    assert remembered[0] not in ids

    assert [element[0] for element in claimed.served(after="")] == [*ids, *remembered]
    assert [element[0] for element in claimed.served(after="of-an-earlier-claim")] == [*ids, *remembered]


def test_hint_never_hides_what_was_not_handed_out(claimed: Site) -> None:
    """A device cannot skip a command that it never got."""
    commands = [claimed.add({"config": {"properties": {}}}) for _number in range(2)]

    served = claimed.served(after=f"{commands[1]['id']}.2")

    assert len(served) == 2


def test_who_may_fetch(site: Site, make_device: Callable[[int], Any]) -> None:
    """401 for strangers and the unclaimed, 403 for forgeries and the blocked; nothing changes."""
    stranger = make_device(99)
    assert site.fetch().status_code == 401
    assert site.fetch(stranger).status_code == 401
    assert site.claim().status_code == 201
    command = site.add(ca())
    expired = site.device.jwt(expires=1_600_000_000)
    for jwt, status in (
        (site.device.jwt(key=stranger.key), 403),
        (expired, 403),
        (site.device.jwt(header={"kid": "00" * 32}), 403),
        ("not.a.jwt", 401),
        ("nothing", 401),
    ):
        response = site.fetch(jwt=jwt)
        assert response.status_code == status
        assert response.json()["message"]
        report = site.world.ask("POST", "/v1/provisioning/response", key=jwt, content=b"\x80")
        assert report.status_code == status
    assert site.world.ask("GET", "/v1/provisioning/commands").status_code == 401
    assert site.command(command)["status"] == "PENDING"

    site.ask("POST", f"/v1/claimed-devices/{site.device.id}/block")
    assert site.fetch().status_code == 403
    assert site.report(["id", 102]) == 403
    assert site.command(command)["status"] == "PENDING"
    site.ask("POST", f"/v1/claimed-devices/{site.device.id}/unblock")
    assert len(site.served()) == 1


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "many"},
        {"limit": ""},
        {"rxMaxSize": "1e3"},
        {"txMaxSize": "-5"},
        {"after": "x" * 46},
    ],
    ids=repr,
)
def test_unfit_fetch(claimed: Site, query: dict[str, Any]) -> None:
    """A fetch with a query that cannot be is 400 and hands nothing out."""
    command = claimed.add(ca())

    assert claimed.fetch(**query).status_code == 400
    assert claimed.command(command)["status"] == "PENDING"


def test_log_of_a_device(claimed: Site, make_device: Callable[[int], Any]) -> None:
    """The control socket tells what a device really asked and got, and nothing of forgers."""
    claimed.add({"finished": {}})
    claimed.fetch(jwt=claimed.device.jwt(key=make_device(99).key))
    ((identifier, _type),) = claimed.served(after="")
    claimed.report([identifier, 102])
    claimed.report(["unknown", 102])
    claimed.fetch(after=identifier)

    items = claimed.control.ask("GET", "/events", params={"device": claimed.device.id}).json()["items"]

    assert [(item["method"], item["path"], item["status"], item["ids"]) for item in items] == [
        ("GET", "/v1/provisioning/commands", 200, [identifier]),
        ("POST", "/v1/provisioning/response", 200, [identifier]),
        ("POST", "/v1/provisioning/response", 400, []),
        ("GET", "/v1/provisioning/commands", 204, []),
    ]
    ask = claimed.control.ask
    latest = ask("GET", "/events", params={"device": claimed.device.id, "last": "2"}).json()["items"]
    assert latest == items[-2:]
    for unfit in ("0", "-1", "all", "\u0663"):
        answer = ask("GET", "/events", params={"device": claimed.device.id, "last": unfit})
        assert answer.status_code == 400
        assert "last" in answer.json()["message"]
    assert items[0]["time"] == "2023-11-14T22:13:20.000Z"
    assert f"after={identifier}" in items[3]["query"]
