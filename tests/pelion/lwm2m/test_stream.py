"""Conversations: what RFC 7252 asks of any server, and devices that are slow, mad or gone."""

from __future__ import annotations

import itertools
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING

import pytest
from aiocoap import Message  # type: ignore[import-untyped] # has no types
from aiocoap.numbers import codes, types  # type: ignore[import-untyped] # as above
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness_pelion.fake.limits import Limits
from tests.pelion.lwm2m.device_site import DeviceSite
from tests.pelion.lwm2m.raw_device import RawDevice, take_bootstrap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pelion.lwm2m.conftest import Bootstrap, Connect, Register
    from tests.pelion.lwm2m.device_site import Developer

PING, PONG = bytes.fromhex("4000abcd"), bytes.fromhex("7000abcd")
MARKERS = itertools.count(1)


def hex_bootstrap(developer: Developer, head: str) -> bytes:
    """Write a request for a bootstrap by hand: POST, a path of two letters, two parts of a query."""
    options = b"\xb2bs"  # 11: two bytes
    for number, part in enumerate([f"ep={developer.id}", f"aid={developer.account.id}"]):
        delta = 4 if number == 0 else 0  # 15, and 15 again
        options += bytes([delta << 4 | 13, len(part) - 13]) + part.encode()
    return bytes.fromhex(head) + options


def test_a_message_written_by_hand_begins_a_bootstrap(site: DeviceSite, to_bootstrap: Connect) -> None:
    """The answer is an acknowledgement with the same id and token; the next record asks to delete /0."""
    developer = site.developer()
    device = to_bootstrap(developer.pair)
    device.send(hex_bootstrap(developer, "4202 1234 aabb"))
    assert device.receive().hex() == "62441234aabb"
    question = device.receive()
    assert question[0] == 0x44  # confirmable, a token of four bytes
    assert question[1] == 0x04  # DELETE
    assert question[8:] == b"\xb10"  # the path is 0


def test_an_empty_message_asks_whether_we_are_there(site: DeviceSite, to_bootstrap: Connect) -> None:
    """It is answered by a reset (RFC 7252, section 4.3)."""
    device = to_bootstrap(site.developer().pair)
    device.send(PING)
    assert device.receive() == PONG


@pytest.mark.parametrize("nonsense", ["4f01abcd", "4001abcdff", "4100abcd01", "40e0abcd"])
def test_a_malformed_message_is_reset(site: DeviceSite, to_bootstrap: Connect, nonsense: str) -> None:
    """And the conversation goes on."""
    device = to_bootstrap(site.developer().pair)
    device.send(bytes.fromhex(nonsense))
    assert device.receive() == PONG
    device.send(PING)
    assert device.receive() == PONG


@pytest.mark.parametrize("nonsense", ["00", "8001abcd", "5001abcdff", "60450001", "70000001", "62441234aabb"])
def test_what_is_no_message_for_us_is_ignored(site: DeviceSite, to_bootstrap: Connect, nonsense: str) -> None:
    """Too short, another version, nothing that may be rejected, or an answer that nobody waits for."""
    device = to_bootstrap(site.developer().pair)
    device.send(bytes.fromhex(nonsense))
    device.send(PING)
    assert device.receive() == PONG


def test_an_answer_that_nobody_waits_for_is_reset(site: DeviceSite, to_bootstrap: Connect) -> None:
    """When it is confirmable."""
    device = to_bootstrap(site.developer().pair)
    device.send(bytes.fromhex("4145abcd11"))
    assert device.receive() == PONG


def test_a_request_that_comes_twice_is_answered_twice_and_served_once(
    site: DeviceSite, to_bootstrap: Connect
) -> None:
    """The same answer, and one bootstrap (RFC 7252, section 4.5)."""
    developer = site.developer()
    device = to_bootstrap(developer.pair)
    request = hex_bootstrap(developer, "4202 1234 aabb")
    device.send(request)
    device.send(request)
    messages = [device.receive() for _ in range(3)]
    assert messages.count(bytes.fromhex("62441234aabb")) == 2
    assert len(site.notes(developer.account.id, "bootstrap began")) == 1


def test_a_request_that_is_not_confirmable_gets_such_an_answer(
    site: DeviceSite, to_bootstrap: Connect
) -> None:
    """With the same token."""
    device = to_bootstrap(site.developer().pair)
    device.send(bytes.fromhex("5201 1234 aabb"))
    answer = device.receive()
    assert (answer[0], answer[1], answer[4:6]) == (0x52, 0x84, b"\xaa\xbb")


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        ("b26273c0d10e08", 0x82, b"blocks are not supported"),
        ("9 0".replace(" ", ""), 0x82, b"option 9"),
        ("d31663 6f61".replace(" ", ""), 0xA5, b"no proxy"),
    ],
    ids=["block", "unknown", "proxy"],
)
def test_options_that_cannot_be_served_are_told(
    site: DeviceSite, to_bootstrap: Connect, options: str, code: int, text: bytes
) -> None:
    """With the code and a word why."""
    device = to_bootstrap(site.developer().pair)
    device.send(bytes.fromhex("40020007" + options))
    answer = device.receive()
    assert (answer[0], answer[1], answer[2:4]) == (0x60, code, b"\x00\x07")
    assert text in answer


def test_a_device_may_acknowledge_first_and_answer_later(site: DeviceSite, to_bootstrap: Connect) -> None:
    """Its answer comes as a message of its own, which we acknowledge (RFC 7252, section 5.2.2)."""
    developer = site.developer()
    device = to_bootstrap(developer.pair)
    device.ask("POST", "/bs", developer.claims)
    question = device.next_request()
    device.send(b"\x60\x00" + question.mid.to_bytes(2, "big"))
    answer = Message(code=codes.DELETED)
    answer.mtype, answer.mid, answer.token = types.CON, 0x4444, question.token
    device.write(answer)
    assert device.receive().hex() == "60004444"
    assert device.next_request().code == codes.PUT


def test_a_device_may_answer_without_acknowledgement(site: DeviceSite, to_bootstrap: Connect) -> None:
    """A message that is not confirmable, with the token."""
    developer = site.developer()
    device = to_bootstrap(developer.pair)
    device.ask("POST", "/bs", developer.claims)
    question = device.next_request()
    answer = Message(code=codes.DELETED)
    answer.mtype, answer.mid, answer.token = types.NON, 0x4444, question.token
    device.write(answer)
    assert device.next_request().code == codes.PUT


def test_an_answer_with_another_token_is_none(hasty_site: DeviceSite, to_bootstrap: Connect) -> None:
    """The server goes on waiting, and ends the bootstrap when its time is over."""
    developer = hasty_site.developer()
    device = to_bootstrap(developer.pair, at=hasty_site)
    device.ask("POST", "/bs", developer.claims)
    question = device.next_request()
    question.token = b"other"
    device.answer(question, "DELETED")
    assert device.is_closed()
    note = hasty_site.wait_for_note(developer.account.id, "bootstrap failed")
    assert (note["step"], note["reason"]) == ("delete", "no answer within 0.2 s")


def test_a_device_that_resets_a_question_ends_the_bootstrap(site: DeviceSite, to_bootstrap: Connect) -> None:
    """It says that it cannot make sense of it."""
    developer = site.developer()
    device = to_bootstrap(developer.pair)
    device.ask("POST", "/bs", developer.claims)
    device.send(b"\x70\x00" + device.next_request().mid.to_bytes(2, "big"))
    assert device.is_closed()
    assert "rejected" in site.wait_for_note(developer.account.id, "bootstrap failed")["reason"]


def test_a_request_is_served_while_we_wait_for_an_answer(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """A device that updates before it says whose it is gets its answer first."""
    given_ = bootstrap(site.developer())
    device = to_lwm2m(given_.pair)
    location = register(device, given_)
    question = device.next_request()
    assert str(device.ask("POST", location).code) == "2.04 Changed"
    device.answer(question, "NOT_FOUND")
    assert device.next_request().code == codes.GET


def test_a_record_may_come_byte_by_byte(site: DeviceSite, tmp_path: Path) -> None:
    """TCP has no messages: what comes in pieces is put together."""
    developer = site.developer()
    path = tmp_path / "own.pem"
    path.write_text(developer.pair.certificate + developer.pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(path)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing)
    with socket.create_connection(("127.0.0.1", site.bootstrap_port), timeout=10) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def pump(step: object) -> object:
            while True:
                try:
                    return step()  # type: ignore[operator] # a method of the connection
                except ssl.SSLWantReadError:
                    for byte in outgoing.read():
                        plain.send(bytes([byte]))
                    incoming.write(plain.recv(4096))

        pump(tls.do_handshake)
        tls.write(PING)
        tls.write(PING)
        assert pump(lambda: tls.read(100)) == PONG
        assert pump(lambda: tls.read(100)) == PONG


def test_who_says_nothing_is_closed(hasty_site: DeviceSite, to_bootstrap: Connect) -> None:
    """After its time, and it is told so by TLS."""
    device = to_bootstrap(hasty_site.developer().pair, at=hasty_site)
    assert device.receive() == b""
    assert "nothing was said" in str(hasty_site.notes("", "connection ended")[-1]["reason"])


def test_who_is_registered_may_say_nothing(
    hasty_site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """A device comes back every few minutes; its connection is kept as long as its registration lives."""
    developer = hasty_site.developer()
    given_ = bootstrap(developer, at=hasty_site)
    device = to_lwm2m(given_.pair, at=hasty_site)
    location = register(device, given_, objects=b"")
    device.socket.settimeout(0.5)
    with pytest.raises(TimeoutError):
        device.receive()
    device.socket.settimeout(10)
    assert str(device.ask("DELETE", location).code) == "2.02 Deleted"
    assert device.receive() == b""


def test_who_stops_within_a_record_is_closed(hasty_site: DeviceSite, to_bootstrap: Connect) -> None:
    """Half a record is not waited for, whatever else is kept."""
    device = to_bootstrap(hasty_site.developer().pair, at=hasty_site)
    before = len(hasty_site.notes("", "connection ended"))
    with socket.socket(fileno=device.socket.detach()) as raw:
        raw.settimeout(10)
        raw.sendall(b"\x17\x03\x03\x00\x40" + bytes(10))
        while raw.recv(4096):
            pass
    assert (
        hasty_site.notes("", "connection ended")[before]["reason"] == "a record was begun and not completed"
    )


def test_who_goes_away_within_a_record_is_gone(site: DeviceSite, to_bootstrap: Connect) -> None:
    """Nothing of it is taken."""
    developer = site.developer()
    device = to_bootstrap(developer.pair)
    with socket.socket(fileno=device.socket.detach()) as raw:
        raw.sendall(b"\x17\x03\x03\x00\x40" + bytes(10))
    assert site.wait_for_note("", "connection ended", containing="within a record")


def test_who_goes_away_within_the_handshake_is_gone(site: DeviceSite) -> None:
    """And is noted."""
    with socket.create_connection(("127.0.0.1", site.bootstrap_port), timeout=10):
        pass
    assert site.wait_for_note("", "connection ended", containing="went away during the handshake")


def test_who_says_goodbye_is_answered(site: DeviceSite, to_bootstrap: Connect) -> None:
    """TLS is closed from both ends (RFC 5246, section 7.2.1)."""
    device = to_bootstrap(site.developer().pair)
    with device.socket.unwrap() as plain:
        assert plain.recv(1) == b""


def test_who_does_not_read_is_closed(hasty_site: DeviceSite, to_bootstrap: Connect) -> None:
    """A device that only asks cannot make the server keep its answers for it."""
    hasty_site.use_small_buffers()
    device = to_bootstrap(hasty_site.developer().pair, at=hasty_site)
    with pytest.raises(OSError, match=r"reset|[Bb]roken pipe|EOF"):
        while True:
            device.send(bytes.fromhex("4002000790"))
    assert hasty_site.wait_for_note("", "connection ended", containing="does not read")


def test_many_requests_on_one_connection_are_borne(site: DeviceSite, to_bootstrap: Connect) -> None:
    """Only the last answers are kept for requests that come twice."""
    device = to_bootstrap(site.developer().pair)
    for _ in range(40):
        assert str(device.ask("GET", "/nothing").code) == "4.04 Not Found"


def test_who_says_only_nonsense_is_closed(hasty_site: DeviceSite, to_bootstrap: Connect) -> None:
    """Patience ends after some messages that cannot be read."""
    device = to_bootstrap(hasty_site.developer().pair, at=hasty_site)
    for _ in range(6):
        device.send(b"\x00")
    assert device.is_closed()
    assert hasty_site.wait_for_note("", "connection ended", containing="nothing that can be read")


def test_what_is_not_encrypted_ends_the_connection(site: DeviceSite, to_bootstrap: Connect) -> None:
    """A record that fails its check (RFC 5246, section 6.2.3.3)."""
    device = to_bootstrap(site.developer().pair)
    with socket.socket(fileno=device.socket.detach()) as raw:
        raw.settimeout(10)
        raw.sendall(b"\x17\x03\x03\x00\x40" + bytes(64))
        while raw.recv(4096):
            pass


def test_one_connection_too_many_is_closed_at_once(hasty_site: DeviceSite) -> None:
    """And there is room again as soon as one has gone."""
    address = ("127.0.0.1", hasty_site.bootstrap_port)
    before = len(hasty_site.notes("", "connection refused"))
    opened = [socket.create_connection(address, timeout=10) for _ in range(5)]
    begun = time.monotonic()
    closed = 0
    for each in opened:
        with each:
            closed += each.recv(1) == b""
    assert closed == 5
    assert time.monotonic() - begun < 5
    assert len(hasty_site.notes("", "connection refused")) == before + 1


def test_the_end_does_not_wait_for_a_device(tmp_path: Path) -> None:
    """Connections in a handshake, in a bootstrap, idle and held are all ended at once."""
    with DeviceSite() as own:
        address = ("127.0.0.1", own.bootstrap_port)
        silent = socket.create_connection(address, timeout=10)
        developer = own.developer()
        own.order(developer, "bootstrap", "hold", "request")
        devices = [
            RawDevice(own.bootstrap_port, developer.pair, own.issuing.bootstrap.pem, tmp_path)
            for _ in range(3)
        ]
        devices[0].send(hex_bootstrap(developer, "4202 1234 aabb"))
        own.wait_for_note(developer.account.id, "fault")
        devices[1].ask("POST", "/bs", developer.claims)
        take_bootstrap(devices[1], stop_at="security")
        begun = time.monotonic()
    assert time.monotonic() - begun < 2
    for device in devices:
        assert device.is_closed()
        device.socket.close()
    with silent:
        assert silent.recv(1) == b""


@given(messages=st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=5))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_conversation_survives_whatever_is_said(fuzzed: RawDevice, messages: list[bytes]) -> None:
    """After any bytes a ping is answered still, on the same connection."""
    for message in messages:
        fuzzed.send(b"\x42\x02" + message if message[0] & 1 else message)
    number = (0xF000 + next(MARKERS) % 0xFFF).to_bytes(2, "big")
    fuzzed.send(b"\x40\x00" + number)
    while (answer := fuzzed.receive()) != b"\x70\x00" + number:
        assert answer


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawDevice]:
    """One device that is let say anything."""
    with DeviceSite(Limits(nonsense=100_000)) as own:
        developer = own.developer()
        with RawDevice(
            own.bootstrap_port, developer.pair, own.issuing.bootstrap.pem, tmp_path_factory.mktemp("own")
        ) as device:
            yield device


def test_devices_at_once_are_served_side_by_side(site: DeviceSite, tmp_path: Path) -> None:
    """Eight devices bootstrap at the same time, each gets its own identity."""
    developer = site.developer()
    identities: list[str] = []

    def live(number: int) -> None:
        directory = tmp_path / str(number)
        directory.mkdir()
        with RawDevice(site.bootstrap_port, developer.pair, site.issuing.bootstrap.pem, directory) as device:
            device.ask("POST", "/bs", developer.claims)
            given_ = take_bootstrap(device)
            device.ask("GET", "/nothing")
            identities.append(given_.device_id)

    threads = [threading.Thread(target=live, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(set(identities)) == 8
    assert sorted(identities) == sorted(each.id for each in site.devices(developer.account))
