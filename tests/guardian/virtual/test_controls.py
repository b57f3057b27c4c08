"""Control calls: how the board is built, its clock and network, what it keeps; and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.virtual.contract import VirtualBoard, VirtualBoardSpec
from harness_guardian.virtual.board import create
from tests.guardian.making import pem_of
from tests.virtual.paper_bench import PaperHost

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.guardian.virtual.paper_bench import BoardInHand
    from tests.guardian.virtual.paper_service import PaperService


@pytest.mark.parametrize(
    ("kind", "options", "text"),
    [
        ("guardian-toaster-virtual", {}, "unknown kind 'guardian-toaster-virtual'; expected one of"),
        ("guardian-component-virtual", {"colour": 1}, "unknown option 'colour'; known are http_timeout,"),
        ("guardian-component-virtual", {"wait_time": "long"}, "expected seconds from 0 to 3600"),
        ("guardian-component-virtual", {"prefer_wait": 0.5}, "expected seconds from 0 to 3600"),
        ("guardian-component-virtual", {"http_timeout": True}, "expected seconds from 0 to 3600"),
        ("guardian-component-virtual", {"ssh": "yes"}, "expected true or false"),
        ("guardian-gateway-virtual", {"ssh": False}, "this kind is reached by SSH alone"),
    ],
)
def test_boards_that_cannot_be(kind: str, options: dict[str, Any], text: str) -> None:
    """A kind or an option that does not fit is refused with what is expected."""
    host = PaperHost()
    try:
        with pytest.raises(ValueError, match=text):
            create(host, VirtualBoardSpec(id="b", kind=kind, number=0, options=options))
    finally:
        host.close()


@pytest.mark.parametrize(
    ("method", "params", "text"),
    [
        ("fly", {}, "unknown method 'fly'; known are clear_faults, clear_points, configuration, configure,"),
        ("set_clock", {}, "set_clock: missing a required argument: 'offset_seconds'"),
        ("set_clock", {"offset_seconds": True}, "expected seconds, a century at most"),
        ("set_clock", {"offset_seconds": 1e12}, "expected seconds, a century at most"),
        ("set_service", {"url": "here"}, "expected http://HOST:PORT"),
        ("configure", {"wait_time": -1}, "expected seconds from 0 to 3600"),
        ("configure", {"ssh": True}, "unknown option 'ssh'"),
        ("ssh", {}, "this board has no SSH; its option ssh would give it one"),
    ],
)
def test_unfit_calls(board: BoardInHand, method: str, params: dict[str, Any], text: str) -> None:
    """Unknown calls and unfit parameters are refused with what is expected."""
    with pytest.raises(ValueError, match=text):
        board.call(method, **params)


def test_built_again_as_at_first(make_board: Callable[..., BoardInHand]) -> None:
    """What a test configured ends with it; all or nothing is configured."""
    board = make_board(wait_time=50)
    with pytest.raises(ValueError, match="unknown option"):
        board.call("configure", prefer_wait=1, colour="red")
    board.call("configure", prefer_wait=1)
    assert board.call("configuration") == {"wait_time": 50, "http_timeout": 10.0, "prefer_wait": 1}

    board.host.on_loop(board.board.clear_faults)

    assert board.call("configuration") == {"wait_time": 50, "http_timeout": 10.0, "prefer_wait": 10}


def test_service_by_control(board: BoardInHand) -> None:
    """The address of the service is kept like one that was typed, and is no fault."""
    board.call("set_service", url="http://127.0.0.1:8")
    board.call("clear_faults")
    assert board.status()["service"] == "http://127.0.0.1:8"

    board.call("set_service", url=None)
    assert board.status()["service"] == "-"


def test_clock_of_a_request(ready: BoardInHand, service: PaperService) -> None:
    """Requests carry the time of the board's clock."""
    ready.call("set_clock", offset_seconds=-86_400 * 3650)
    ready.ask("request")

    assert service.read(ready.get("request"))[1]["created_at"].startswith("2016-")


def test_no_secret_is_told(provisioned: BoardInHand, service: PaperService) -> None:
    """Inventory, control calls, power points and files listed tell sizes and digests, and no key."""
    provisioned.ask("request reprovision")
    told = json.dumps(
        [
            dict(provisioned.host.on_loop(provisioned.board.describe)),
            provisioned.call("storage"),
            provisioned.call("points"),
            provisioned.ask("files"),
            provisioned.status(),
            repr(vars(provisioned.board)),
        ]
    )

    records = provisioned.call("storage")["records"]
    assert {"installed", "pending", "file package"} <= set(records)
    assert {name for record in records.values() for name in record} == {"size", "sha256"}
    assert "PRIVATE" not in told
    assert pem_of(service.signer).splitlines()[1] not in told


def test_generations(board: BoardInHand) -> None:
    """Each write is a generation of its own."""
    before = board.call("storage")["generation"]
    board.ask("init a b")
    board.put("forwarded", b"x")

    assert board.call("storage")["generation"] == before + 2
    assert sorted(board.call("storage")["records"]) == ["declared", "file forwarded"]


def test_contract(board: BoardInHand) -> None:
    """The factory makes what the bench expects, and its facts are texts."""
    made: VirtualBoard = board.board

    facts = board.host.on_loop(made.describe)
    assert facts == {"model": "GC-200", "firmware": "1.4.0", "serial": "GC000000"}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"version": 2}, "the package is not of version 1"),
        ({"system": 7}, "the package's 'system' is missing, or of the wrong kind"),
        ({"instance": {"id": "x"}}, "the package's 'instance' has no 'name'"),
        ({"signer": {"private_key_pem": "nonsense"}}, "the package's signer has no key that can be read"),
        ({"profile_signer": {"kid": "x"}}, "the package's profile signer has no key"),
        ({"profile_signer": {"kid": "x", "jwk": {"kty": "EC"}}}, "has no key that can be read"),
        (
            {"profile_signer": {"kid": "x", "jwk": {"kty": "RSA", "crv": "P", "x": "AA"}}},
            "has no key that can be read",
        ),
        ({"root_pem": "nonsense"}, "the package's root is no certificate"),
        ({"components": {"pump": {}}}, "the package's slots of component 'pump' cannot be read"),
        (
            {"components": {"pump": [{"slot": "a", "key": "P-521"}]}},
            "slots of component 'pump' cannot be read",
        ),
    ],
)
def test_packages_that_are_none(ready: BoardInHand, service: PaperService, change: Any, text: str) -> None:
    """What is wrong with a package is said, without any of its secrets, and the board is not ready."""
    fields = {**json.loads(service.package()), **change}
    ready.put("package", json.dumps(fields).encode())

    said = ready.say("request")
    assert said.startswith("ERROR 1 FAIL: ")
    assert text in said
    assert "PRIVATE" not in said
    assert ready.status()["state"] == "blank"


def test_package_in_pieces(ready: BoardInHand) -> None:
    """Half a package is none."""
    ready.put("package", ready.get("package")[:700])

    assert ready.say("request") == "ERROR 1 FAIL: the package is no JSON\n"


def test_encrypted_package_key(ready: BoardInHand, service: PaperService) -> None:
    """A key that only a password opens is no use to a board."""
    from cryptography.hazmat.primitives import serialization

    encrypted = service.signer.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    ).decode()
    fields = json.loads(service.package())
    fields["signer"]["private_key_pem"] = encrypted
    ready.put("package", json.dumps(fields).encode())

    assert "the package's signer has no key that can be read" in ready.say("request")
