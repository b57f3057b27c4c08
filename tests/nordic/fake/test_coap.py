"""The fake's CoAP door, by libcoap's client and by literal bytes (nrfcloud fact sheet, section 3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from harness_nordic.fake import coap_endpoint
from tests.nordic.fake.coap_peers import LibcoapDevice, LiteralDevice, UdpServer, requests_of
from tests.nordic.paper_device import PaperDevice

if TYPE_CHECKING:
    from pathlib import Path

LINES = ("MIIBtjCCAV0CFA==" * 4 + "\n") * 18
CERTIFICATE = f"-----BEGIN CERTIFICATE-----\n{LINES}-----END CERTIFICATE-----\n"
GET_CMD = "44 01 1234 a1b2c3d4 b1 70 03 636d64"


def at_command(identifier: str, parameters: str) -> bytes:
    """Encode ``[id, 0, "%CMNG", parameters, []]`` by hand, for texts of 256 bytes and more."""
    text = parameters.encode()
    head = b"\x85\x78" + bytes([len(identifier)]) + identifier.encode() + b"\x00\x65%CMNG"
    return head + b"\x79" + len(text).to_bytes(2, "big") + text + b"\x80"


# Who may come in ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_bytes",
    [GET_CMD, "44 02 1234 a1b2c3d4 b1 70 03 727370 11 3c ff 80"],
    ids=["fetch", "report"],
)
def test_who_has_not_proven_who_he_is(literal: LiteralDevice, request_bytes: str) -> None:
    """A request from an address that nobody knows gets 4.01, acknowledged with its number and token."""
    literal.send(request_bytes)

    assert literal.receive() == bytes.fromhex("64 81 1234 a1b2c3d4 ff") + b"who are you?"


@pytest.mark.parametrize("path", ["p/auth-jwt?mver=x&cver=1", "p/auth-jwt?mver=x&cver=1&dver=2", "p/auth"])
def test_proof_of_identity(claimed: Any, device: LibcoapDevice, path: str) -> None:
    """A JWT is answered 2.01, with the thirty days for which it holds."""
    answer = device.authenticate(claimed.device.jwt(), path)

    assert answer.code == "2.01"
    assert "Max-Age:2592000" in answer.options
    assert device.fetch().code == "2.05"
    assert requests_of(claimed)[0] == ("POST", path.partition("?")[0], 201)


@pytest.mark.parametrize("kind", [None, 0, 60])
def test_kinds_of_a_jwt(claimed: Any, device: LibcoapDevice, kind: int | None) -> None:
    """A JWT comes as the library says it, as a text, or without a word about it."""
    assert device.ask("post", "p/auth-jwt", claimed.device.jwt().encode(), kind=kind).code == "2.01"


def test_jwt_of_another_kind(claimed: Any, device: LibcoapDevice) -> None:
    """A JWT is no JSON."""
    assert device.ask("post", "p/auth-jwt", claimed.device.jwt().encode(), kind=50).code == "4.15"


@pytest.mark.parametrize("jwt", ["", "x", "x.y.z", "\xff\xfe"])
def test_what_is_no_jwt(claimed: Any, device: LibcoapDevice, jwt: str) -> None:
    """Whoever shows nothing is nobody."""
    assert device.ask("post", "p/auth-jwt", jwt.encode("latin-1"), kind=60).code == "4.01"
    assert device.fetch().code == "4.01"


def test_forged_jwt(claimed: Any, device: LibcoapDevice) -> None:
    """Whoever signs with another key is sent away, and stays unknown."""
    forged = claimed.device.jwt(key=ec.generate_private_key(ec.SECP256R1()))

    assert device.authenticate(forged).code == "4.03"
    assert device.fetch().code == "4.01"


def test_unknown_device(site: Any, device: LibcoapDevice) -> None:
    """A device that no factory registered is nobody's."""
    assert device.authenticate(PaperDevice(9).jwt()).code == "4.01"


def test_unclaimed_device(site: Any, device: LibcoapDevice) -> None:
    """A device that nobody has claimed is told so at once; afterwards it may come in."""
    assert device.authenticate(site.device.jwt()).code == "4.01"
    assert requests_of(site) == [("POST", "p/auth-jwt", 401)]

    assert site.claim().status_code == 201
    assert device.authenticate(site.device.jwt()).code == "2.01"


def test_blocked_device(claimed: Any, known: LibcoapDevice) -> None:
    """The block holds for a connection that there was before, and for a new one."""
    assert claimed.ask("POST", f"/v1/claimed-devices/{claimed.device.id}/block").status_code == 204

    assert known.fetch().code == "4.03"
    assert known.authenticate(claimed.device.jwt()).code == "4.03"


def test_device_that_is_unclaimed_meanwhile(claimed: Any, known: LibcoapDevice) -> None:
    """The poll behind an unclaim gets 4.01, as the fact sheet has it in section 2.6."""
    assert claimed.ask("DELETE", f"/v1/claimed-devices/{claimed.device.id}").status_code == 204

    assert known.fetch().code == "4.01"


def test_another_port(claimed: Any, known: LibcoapDevice, literal: LiteralDevice) -> None:
    """A proof holds for the address and port that it came from."""
    literal.send(GET_CMD)

    assert literal.receive()[1] == 0x81
    assert known.fetch().code == "2.05"


def test_failed_proof_ends_the_one_before(claimed: Any, known: LibcoapDevice) -> None:
    """An address that another device takes over is not taken for the first one."""
    assert known.authenticate("x.y.z").code == "4.01"

    assert known.fetch().code == "4.01"


def test_proof_expires(claimed: Any, known: LibcoapDevice) -> None:
    """After thirty days a device has to prove again who it is."""
    assert claimed.control.ask("POST", "/clock", json={"shift": 2592000 - 1}).status_code == 200
    assert known.fetch().code == "2.05"

    assert claimed.control.ask("POST", "/clock", json={"shift": 2592000}).status_code == 200
    assert known.fetch().code == "4.01"


def test_too_many_addresses(
    claimed: Any, known: LibcoapDevice, server: UdpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service does not remember addresses without end: the oldest has to prove again who it is."""
    monkeypatch.setattr(coap_endpoint, "MOST_SESSIONS", 1)
    second = LibcoapDevice(server.port, tmp_path)
    assert second.authenticate(claimed.device.jwt()).code == "2.01"

    assert known.fetch().code == "4.01"
    assert second.fetch().code == "2.05"


# Commands -----------------------------------------------------------------------------------------------


def test_nothing_to_do(known: LibcoapDevice) -> None:
    """Without commands the answer is 2.05, and has neither a payload nor a Content-Format."""
    answer = known.fetch()

    assert (answer.code, answer.payload, answer.options) == ("2.05", b"", "")


def test_commands(claimed: Any, known: LibcoapDevice) -> None:
    """Commands are the same CBOR as by HTTP: here ``[[id.1, 2]]``."""
    made = claimed.add({"finished": {}})

    answer = known.fetch()

    assert (answer.code, answer.options) == ("2.05", "Content-Format:application/cbor")
    assert answer.payload == bytes.fromhex("8182 7826") + f"{made['id']}.1".encode() + b"\x02"
    assert requests_of(claimed)[-1] == ("GET", "p/cmd", 205)


@pytest.mark.parametrize("size", [16, 64, 256, 1024])
def test_commands_in_blocks(claimed: Any, known: LibcoapDevice, size: int) -> None:
    """A certificate comes in as many blocks as it takes, of the size that the device prefers."""
    made = claimed.add({"serverCertificate": {"secTag": 5, "content": CERTIFICATE}})
    whole = b"\x81" + at_command(f"{made['id']}.1", f'0,5,0,"{CERTIFICATE}"')

    answer = known.fetch(options=f"-b {size}")

    assert answer.payload == whole
    assert answer.codes == ["2.05"] * -(-len(whole) // size)
    assert [request[1] for request in requests_of(claimed)] == ["p/auth-jwt", "p/cmd"]


def test_block_that_was_not_asked_for_before(claimed: Any, known: LibcoapDevice) -> None:
    """Blocks are asked for from the first on."""
    claimed.add({"serverCertificate": {"secTag": 5, "content": CERTIFICATE}})

    assert known.fetch(options="-b 3,64").codes[0] == "4.08"


@pytest.mark.parametrize(("more", "fits"), [(2, False), (3, True)], ids=["too small", "large enough"])
def test_receive_buffer(claimed: Any, known: LibcoapDevice, more: int, *, fits: bool) -> None:
    """The receive buffer is for the payload alone: no room is kept for headers as by HTTP."""
    made = claimed.add({"serverCertificate": {"secTag": 5, "content": CERTIFICATE}})
    element = at_command(f"{made['id']}.1", f'0,5,0,"{CERTIFICATE}"')
    room = len(element) + 1 + more

    assert bool(known.fetch(f"after=&rxMaxSize={room}&txMaxSize=4096&limit=5").payload) is fits


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=x", "rxMaxSize=-1", f"after={'x' * 46}", "limit=1&limit=2"],
)
def test_what_is_no_fetch(known: LibcoapDevice, query: str) -> None:
    """What cannot be is refused, with a reason."""
    assert f"\n4.00 {query.partition('=')[0]}: expected" in known.fetch(query).log


def test_commands_that_are_wanted_as_something_else(known: LibcoapDevice) -> None:
    """Commands are CBOR and nothing else."""
    assert known.fetch(options="-A 50").code == "4.06"


# Reports ------------------------------------------------------------------------------------------------


def test_report(claimed: Any, known: LibcoapDevice) -> None:
    """A report is answered 2.04 exactly, and counts."""
    made = claimed.add({"finished": {}})
    known.fetch()

    answer = known.report(bytes.fromhex("8182 7826") + f"{made['id']}.1".encode() + bytes.fromhex("1866"))

    assert (answer.code, answer.payload) == ("2.04", b"")
    assert claimed.command(made)["status"] == "SUCCEEDED"
    assert claimed.status() == "PROVISIONED"
    assert requests_of(claimed)[-1] == ("POST", "p/rsp", 204)


@pytest.mark.parametrize("size", [16, 64, 512])
def test_report_in_blocks(claimed: Any, known: LibcoapDevice, size: int) -> None:
    """A report that comes in blocks is put together before it counts."""
    made = claimed.add({"certificateSigningRequest": {"secTag": 5}})
    known.fetch()
    exported = claimed.device.keygen(5, csr=True, body=b"a signing request that is rather long " * 20)
    text = f'%KEYGEN: "{exported}"\r\nOK\r\n'.encode()
    step, main = f"{made['id']}.1.s".encode(), f"{made['id']}.1".encode()
    body = bytes.fromhex("82 83 7828") + step + bytes.fromhex("1864 64 4f4b0d0a")
    body += bytes.fromhex("83 7826") + main + bytes.fromhex("1864 79") + len(text).to_bytes(2, "big") + text

    answer = known.report(body, options=f"-b {size}")

    assert answer.codes == ["2.31"] * (-(-len(body) // size) - 1) + ["2.04"]
    assert claimed.command(made)["response"]["certificateSigningRequest"]["csr"] == exported


def test_blocks_with_a_gap(claimed: Any, known: LibcoapDevice) -> None:
    """A report of which a block is missing is refused, and does not count."""
    assert known.report(b"\x81" * 200, options="-b 2,16").codes[0] == "4.08"


def test_block_that_is_left_out(literal: LiteralDevice) -> None:
    """Between two blocks none may be missing (RFC 7959, section 2.9.2)."""
    block = bytes(16).hex()
    literal.send(f"41 02 0001 07 b1 70 03 727370 11 3c d1 02 08 ff {block}")
    assert literal.receive()[:2] == bytes.fromhex("61 5f")

    literal.send(f"41 02 0002 07 b1 70 03 727370 11 3c d1 02 28 ff {block}")
    assert literal.receive()[:2] == bytes.fromhex("61 88")


@pytest.mark.parametrize("body", [b"\x80", b"\xff", b"{}", b"\x81\x82\x61x\x18\x66"])
def test_what_is_no_report(known: LibcoapDevice, body: bytes) -> None:
    """What is no report, or of a command that the device never got, is refused."""
    assert known.report(body).code == "4.00"


@pytest.mark.parametrize("kind", [None, 0, 50])
def test_report_of_another_kind(claimed: Any, known: LibcoapDevice, kind: int | None) -> None:
    """A report is CBOR, and says so."""
    assert known.ask("post", "p/rsp", b"\x80", kind=kind).code == "4.15"
