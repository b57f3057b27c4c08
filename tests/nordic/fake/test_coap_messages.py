"""Messages of the fake's CoAP door by literal bytes, its faults and choices (nrfcloud fact sheet, 3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness_nordic.fake.app import NrfCloudFake
from harness_nordic.fake.choices import CONTRARIAN
from harness_nordic.fake.clock import Clock
from harness_nordic.fake.coap_transport import code_of, status_of_code
from tests.nordic.fake.coap_peers import LIMITS, LibcoapDevice, LiteralDevice, UdpServer, requests_of
from tests.nordic.paper_device import NOW

if TYPE_CHECKING:
    from pathlib import Path

UNKNOWN_PATH = "40 01 1234 b3 6e6978"


# Messages -----------------------------------------------------------------------------------------------


def test_connection_is_suspended(literal: LiteralDevice) -> None:
    """A device that goes to sleep says so and may hear of it: 2.04 to a message that needs no answer."""
    literal.send("50 02 1234 b5 2e64746c73 07 73757370656e64")

    answer = literal.receive()

    assert (answer[:2], len(answer)) == (bytes.fromhex("50 44"), 4)


@pytest.mark.parametrize(
    ("request_bytes", "code"),
    [
        (UNKNOWN_PATH, 0x84),
        ("40 03 1234 b1 70 03 636d64", 0x85),
        ("40 01 1234 b1 70 03 727370", 0x85),
        ("40 01 1234 b1 70 08 617574682d6a7774", 0x85),
    ],
    ids=["another path", "PUT", "GET of a report", "GET of a proof"],
)
def test_what_there_is_not(literal: LiteralDevice, request_bytes: str, code: int) -> None:
    """Another path is 4.04, another method 4.05."""
    literal.send(request_bytes)

    assert literal.receive()[:4] == bytes([0x60, code]) + bytes.fromhex("1234")


def test_message_that_comes_twice(claimed: Any, server: UdpServer, literal: LiteralDevice) -> None:
    """The second copy gets the same answer, and counts for nothing."""
    jwt = claimed.device.jwt().encode()
    proof = bytes.fromhex("41 02 0001 07 b1 70 08 617574682d6a7774 11 3c ff") + jwt
    for _time in range(2):
        literal.send(proof)
    answers = [literal.receive() for _time in range(2)]

    assert answers[0] == answers[1]
    assert answers[0][:5] == bytes.fromhex("61 41 0001 07")
    assert requests_of(claimed) == [("POST", "p/auth-jwt", 201)]


def test_ping(literal: LiteralDevice) -> None:
    """An empty message is answered by a reset: somebody is there."""
    literal.send("40 00 1234")

    assert literal.receive() == bytes.fromhex("70 00 1234")


@pytest.mark.parametrize(
    "data",
    ["", "00", "ff", "80 01 1234", "49 01 1234", "40 01 1234 f0", "40 01 1234 ff", "40 01 1234 b5 70"],
)
def test_what_is_no_message(literal: LiteralDevice, data: str) -> None:
    """Bytes that are no message, or not of this version, do not hurt the service."""
    literal.send(data)
    literal.send("40 00 4321")

    while (answer := literal.receive())[2:] != bytes.fromhex("4321"):
        assert answer[0] >> 4 in {6, 7}
    assert answer == bytes.fromhex("70 00 4321")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.one_of(
        st.binary(max_size=60),
        st.binary(max_size=40).map(lambda more: bytes.fromhex("4401 1234 a1b2c3d4 b170 03636d64") + more),
        st.binary(max_size=40).map(lambda more: bytes.fromhex("4402 1235 a1b2c3d4 b170 03727370") + more),
    ),
    number=st.integers(0, 0xFFFF),
)
def test_any_bytes(literal: LiteralDevice, data: bytes, number: int) -> None:
    """Whatever comes, the service is still there, and lets nobody in."""
    literal.send(data)
    ping = bytes.fromhex("4000") + number.to_bytes(2, "big")
    literal.send(ping)

    while (answer := literal.receive()) != b"\x70\x00" + ping[2:]:
        assert answer[1] == 0 or answer[1] >> 5 in {2, 4, 5}
        assert answer[1] not in {0x41, 0x45}


# Faults and choices -------------------------------------------------------------------------------------


def order(site: Any, **fault: Any) -> None:
    """Order a fault for the device."""
    wanted = {"device": site.device.id, **fault}
    assert site.control.ask("POST", "/faults", json=wanted).status_code == 201


def test_no_answer(claimed: Any, server: UdpServer, literal: LiteralDevice) -> None:
    """A fault that leaves a request without an answer rejects it: a reset, also for a second copy."""
    jwt = claimed.device.jwt().encode()
    literal.send(bytes.fromhex("41 02 0001 07 b1 70 08 617574682d6a7774 11 3c ff") + jwt)
    assert literal.receive()[1] == 0x41
    order(claimed, on="fetch", kind="lost-answer")

    for _time in range(2):
        literal.send("40 01 0002 b1 70 03 636d64")
        assert literal.receive() == bytes.fromhex("70 00 0002")
    assert requests_of(claimed)[-1] == ("GET", "p/cmd", 0)


@pytest.mark.parametrize(
    ("status", "code"), [(500, "5.00"), (503, "5.03"), (401, "4.01"), (404, "4.04"), (204, "2.04")]
)
def test_code_to_order(claimed: Any, known: LibcoapDevice, status: int, code: str) -> None:
    """A status that was ordered is the code that is written like it."""
    order(claimed, on="report", kind="status", status=status)

    assert known.report(b"\x80").code == code


def test_late_answer(claimed: Any, known: LibcoapDevice) -> None:
    """What takes long is acknowledged first and answered later, by a message of its own."""
    claimed.add({"finished": {}})
    order(claimed, on="fetch", kind="delay", seconds=0.3)

    answer = known.fetch()

    assert answer.code == "2.05"
    assert len(answer.payload) == 43
    assert "t:CON c:2.05" in answer.log


@pytest.mark.parametrize(
    ("status", "code"), [(401, 0x81), (404, 0x84), (204, 0x44), (422, 0x96), (500, 0xA0), (599, 0xA0)]
)
def test_codes_of_statuses(status: int, code: int) -> None:
    """A code has five bits for its detail: what does not fit is told without."""
    assert int(code_of(status)) == code
    assert status_of_code(code) == (status if status != 599 else 500)


def test_contrarian_choices(tmp_path: Path, site: Any) -> None:
    """Where nobody knows what the service does, it may do otherwise: so does the contrarian fake."""
    site.fake = NrfCloudFake(Clock(lambda: NOW), choices=CONTRARIAN)
    site.control, site.world = type(site.control)(site.fake.control), type(site.world)(site.fake.service)
    site.key = site.team()["api_key"]
    site.device = site.enrolled(1)
    with UdpServer(site.fake.datagrams) as server:
        device = LibcoapDevice(server.port, tmp_path)
        answer = device.authenticate(site.device.jwt())
        refused = device.fetch(LIMITS)
        suspended = device.ask("post", ".dtls/suspend", options="-N")

    assert (answer.code, answer.options) == ("2.01", "Max-Age:3600")
    assert (refused.code, suspended.code) == ("4.03", "4.04")
