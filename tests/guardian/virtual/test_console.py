"""The dialect on a serial line: lines, words, answers, files in pieces; nothing typed can crash the board."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.virtual.clock import BoardClock
from harness.virtual.power_points import PowerPoints
from harness_guardian.virtual.agent import Agent
from harness_guardian.virtual.commands import Commands, Model
from harness_guardian.virtual.component import Component
from harness_guardian.virtual.console import AgentConsole
from harness_guardian.virtual.forging import Forging
from harness_guardian.virtual.power import POINTS
from harness_guardian.virtual.settings import AgentSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.guardian.virtual.paper_bench import BoardInHand

FINAL = re.compile(r"OK|ERROR [1-4] (FAIL|BADPARAM|FILENOTFOUND|OUTOFMEMORY): .+")
DATA = re.compile(r"[a-z0-9_]+: .*")
WORDS = tuple(
    b"identify status files certificates cancel submit provision request install complete forward".split()
)
BEGUN = (b"put ", b"get ", b"init ", b"erase yes", b"prove ", b"collect", b"service ", b"drop ")


class QuietLine:
    """A blank component's console without a bench: whatever is typed, nothing takes its time there."""

    def __init__(self) -> None:
        self.said = bytearray()
        points, clock, forging = PowerPoints(POINTS), BoardClock(), Forging()
        host: object = self
        component = Component(points, clock, forging)
        agent = Agent(host, component, AgentSettings(), points)  # type: ignore[arg-type]  # nothing is asked of it
        self.console = AgentConsole(Commands(agent, Model("M", "1", "S")), self.said.extend)

    def type(self, data: bytes) -> list[str]:
        """Type bytes, and return the lines that were said."""
        del self.said[:]
        self.console.receive(data)
        assert self.said == b"" or self.said.endswith(b"\r\n")
        return self.said.decode().split("\r\n")[:-1]


def typed_lines(data: bytes) -> int:
    """Return how many lines are answered: those that CR ends and that are not blank."""
    lines = data.replace(b"\n", b"").split(b"\r")[:-1]
    return sum(bool(line.strip(b" ")) for line in lines)


ANYTHING = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from(WORDS + BEGUN),
        st.sampled_from([b"\r", b"\n", b"\r\n", b" ", b'"', b"package", b"0", b"-1", b"x" * 1020]),
    ),
    max_size=12,
).map(b"".join)


@given(ANYTHING)
@settings(max_examples=80, deadline=None)
def test_any_bytes(data: bytes) -> None:
    """Whatever is typed, each line is answered by data lines and one final line, and nothing crashes."""
    said = QuietLine().type(data)

    finals = [line for line in said if FINAL.fullmatch(line)]
    assert len(finals) == typed_lines(data)
    assert all(FINAL.fullmatch(line) or DATA.fullmatch(line) for line in said)
    assert all(line.isprintable() for line in said)


@given(ANYTHING, st.integers(1, 9))
@settings(max_examples=25, deadline=None)
def test_bytes_in_pieces(data: bytes, size: int) -> None:
    """In whatever pieces the bytes come, the answers are the same."""
    whole, pieces = QuietLine(), QuietLine()
    said = [line for start in range(0, len(data), size) for line in pieces.type(data[start : start + size])]

    assert said == whole.type(data)


@given(st.binary(max_size=2000), st.integers(1, 600))
@settings(max_examples=25, deadline=None)
def test_files_in_pieces(content: bytes, size: int) -> None:
    """A file comes back as it went, in whatever pieces, also when a piece comes twice."""
    line = QuietLine()
    for start in range(0, max(1, len(content)), size):
        piece = base64.b64encode(content[start : start + size])
        for _time in range(2):
            assert line.type(b"put collected %d %s\r" % (start, piece)) == ["OK"]
    found = b""
    while len(found) < len(content):
        said = line.type(b"get collected %d\r" % len(found))
        assert said[0] == f"size: {len(content)}"
        found += base64.b64decode(said[1].removeprefix("data: "))

    assert found == content


def test_boot_and_blank(board: BoardInHand) -> None:
    """A board says that it booted, and knows neither name nor service; nothing is echoed."""
    assert board.host.sent() == b"+BOOT: guardian-agent 1.4.0\r\n"
    start = board.type(b"status\r\n")
    assert board.host.sent()[start:] == (
        b"state: blank\r\nsystem: -\r\ninstance: -\r\ncomponent: -\r\nhw_id: -\r\n"
        b"request_id: -\r\nresponse_id: -\r\ncertificates: 0\r\nservice: -\r\nOK\r\n"
    )
    assert board.ask("identify") == {
        "model": "GC-200",
        "firmware": "1.4.0",
        "serial": "GC000000",
        "component": "-",
        "hw_id": "-",
        "instance": "-",
    }


def test_name_stays_without_power(board: BoardInHand) -> None:
    """Who the component is, its files and its service survive power cycles and resets, and end by erasing."""
    board.ask('init "Infusion pump" "SN 7" ward-1')
    board.ask("service http://127.0.0.1:1/guardian")
    board.put("forwarded", b"something")
    board.type(b"half a li")
    board.power_off()
    assert board.host.sent().endswith(b"OK\r\n")
    board.power_on()
    board.host.on_loop(board.board.reset)

    identity, status = board.ask("identify"), board.status()
    assert (identity["component"], identity["hw_id"]) == ("Infusion pump", "SN 7")
    assert identity["instance"] == status["instance"] == "ward-1"
    assert status["service"] == "http://127.0.0.1:1/guardian"
    assert board.get("forwarded") == b"something"

    board.ask("erase yes")
    assert board.status()["service"] == "-"
    assert board.ask("files") == {}
    assert board.call("storage")["records"] == {}


def test_line_without_power_goes_nowhere(board: BoardInHand) -> None:
    """Without power nothing is heard and nothing is said."""
    board.power_off()
    start = board.type(b"identify\r")

    assert board.host.sent()[start:] == b""


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("put nothing 0 YQ==", "2 BADPARAM: file is 'nothing'; expected one of package, request, profile,"),
        ("put profile 1 YQ==", "2 BADPARAM: offset is 1; expected at most 0, the size by now"),
        ("put profile x YQ==", "2 BADPARAM: 'x' is no number of bytes"),
        ("put profile -1 YQ==", "2 BADPARAM: '-1' is no number of bytes"),
        ("put profile 0 Y", "2 BADPARAM: the piece is no base64"),
        ("put profile", "2 BADPARAM: expected NAME OFFSET BASE64"),
        ("put profile 0 YQ== YQ==", "2 BADPARAM: expected NAME OFFSET BASE64"),
        ("get profile", "2 BADPARAM: expected NAME OFFSET"),
        ("get profile 0", "3 FILENOTFOUND: there is no file profile"),
        ("drop profile", "3 FILENOTFOUND: there is no file profile"),
        ("drop", "2 BADPARAM: expected NAME"),
        ("init pump", "2 BADPARAM: expected COMPONENT HW_ID"),
        ("init pump a b c", "2 BADPARAM: expected COMPONENT HW_ID"),
        ('init "" SN-1', "2 BADPARAM: the component's name is empty, too long or not printable"),
        ("init pump " + "x" * 37, "2 BADPARAM: the hardware id is not of 1 to 36 printable ASCII characters"),
        ('init pump ""', "2 BADPARAM: the hardware id is not of 1 to 36 printable ASCII characters"),
        ("init pump é", "2 BADPARAM: the hardware id is not of 1 to 36 printable ASCII characters"),
        ('init pump a ""', "2 BADPARAM: the system instance is empty or too long"),
        ("service", "2 BADPARAM: expected URL"),
        ("service ftp://here", "2 BADPARAM: url is 'ftp://here'; expected http://HOST:PORT or https://"),
        ("service http://[", "2 BADPARAM: url is 'http://['; expected http://HOST:PORT or https://"),
        ("service http://a?b", "2 BADPARAM: url is 'http://a?b'; expected http://HOST:PORT or https://"),
        ("request twice", "2 BADPARAM: 'twice' is no option, or comes twice; expected reprovision"),
        ("request reprovision reprovision", "2 BADPARAM: 'reprovision' is no option, or comes twice"),
        ("request reprovision=", "2 BADPARAM: 'reprovision=' is no option, or comes twice"),
        ("request source=Moon", "2 BADPARAM: 'source=Moon' is no option, or comes twice"),
        ("request format=xml", "2 BADPARAM: 'format=xml' is no option, or comes twice"),
        ("request", "3 FILENOTFOUND: there is no provisioning package"),
        ("provision", "3 FILENOTFOUND: there is no provisioning package"),
        ("submit", "1 FAIL: nobody said where the service is"),
        ("install", "3 FILENOTFOUND: there is no file profile"),
        ("install now", "2 BADPARAM: expected nothing behind the command"),
        ("erase", "2 BADPARAM: erase makes the component blank for ever; say: erase yes"),
        ("erase no", "2 BADPARAM: erase makes the component blank for ever; say: erase yes"),
        ("prove identity 00", "1 FAIL: nothing is installed in slot identity"),
        ("prove identity xy", "2 BADPARAM: the challenge is not in hex digits"),
        ('prove identity ""', "2 BADPARAM: the challenge has 0 bytes; expected 1 to 256"),
        ("prove identity " + "00" * 257, "2 BADPARAM: the challenge has 257 bytes; expected 1 to 256"),
        ("cancel", "1 FAIL: nothing is under way"),
        ("identify me", "2 BADPARAM: expected nothing behind the command"),
        ("Identify", "2 BADPARAM: unknown command 'Identify'; known are cancel, certificates, collect,"),
        ('a"b', '2 BADPARAM: a " is open, or stands inside a word'),
        ('"', '2 BADPARAM: a " is open, or stands inside a word'),
        ('""', "2 BADPARAM: unknown command ''; known are"),
    ],
)
def test_refusals(board: BoardInHand, line: str, answer: str) -> None:
    """What cannot be is refused by the library's number and name, with a text that says what is expected."""
    assert board.say(line).startswith(f"ERROR {answer}")
    assert board.call("storage")["records"] == {}


def test_long_lines(board: BoardInHand) -> None:
    """A line may have 1024 bytes; one more is refused as a whole, and the next one is heard again."""
    fits = b"put profile 0 " + base64.b64encode(b"x" * 750)
    start = board.type(fits.ljust(1024) + b"\r" + fits.ljust(1025) + b"\ridentify\r")

    said = board.host.sent()[start:].split(b"\r\n")
    assert said[:3] == [b"OK", b"ERROR 2 BADPARAM: a line has at most 1024 bytes", b"model: GC-200"]
    assert len(board.get("profile")) == 750


def test_line_that_is_no_text(board: BoardInHand) -> None:
    """Bytes that are no UTF-8 are refused as that."""
    start = board.type(b"init pump \xff\r")

    assert board.host.sent()[start:] == b"ERROR 2 BADPARAM: the line is no UTF-8\r\n"


def test_large_files(board: BoardInHand) -> None:
    """A file may have 64 KiB; what does not fit is refused, and what was there stays."""
    board.put("collected", b"x" * 65_400)
    piece = base64.b64encode(b"y" * 136).decode()
    board.ask(f"put collected 65400 {piece}")
    assert board.say("put collected 65536 YQ==") == "ERROR 4 OUTOFMEMORY: a file has at most 65536 bytes\n"
    assert board.ask("files")["collected"].split()[0] == "65536"

    board.ask("put collected 0 YWJj")
    assert board.get("collected") == b"abc"
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert board.ask("files") == {"collected": f"3 {digest}"}
    assert board.say("get collected 4") == "ERROR 2 BADPARAM: offset is 4; expected at most 3, the size\n"
    board.ask("put collected 0")
    assert board.get("collected") == b""


def test_empty_and_blank_lines(board: BoardInHand) -> None:
    """Blank lines are no commands."""
    start = board.type(b"\r\n\r\n   \r\n")

    assert board.host.sent()[start:] == b""


def test_more_commands_than_can_wait(ready: BoardInHand, service: object) -> None:
    """While one command takes its time others wait; each is answered in its turn, too many are refused."""
    service.automatic = False  # type: ignore[attr-defined]  # a PaperService
    ready.ask("request")
    ready.put("forwarded", ready.get("request"))
    ready.ask("forward")
    start = ready.type(b"collect\r" + b"files\r" * 70 + b"cancel\r")

    said = ready.host.wait(lambda sent: len(finals(sent)) == 72, start)
    answers = finals(said)
    assert answers[0] == "ERROR 1 FAIL: cancelled"
    assert answers[1:65] == ["OK"] * 64
    assert answers[65:71] == ["ERROR 4 OUTOFMEMORY: too many commands wait"] * 6
    assert answers[71] == "OK"


def finals(sent: bytes) -> list[str]:
    """Return the final lines of what was sent."""
    return [line for line in sent.decode().split("\r\n") if FINAL.fullmatch(line)]


def test_gateway_has_a_boot_log_only(make_board: Callable[..., BoardInHand]) -> None:
    """The console of a gateway tells of its boot and hears nothing."""
    gateway = make_board("guardian-gateway-virtual", number=7)
    start = gateway.type(b"identify\r\n")

    assert gateway.host.sent()[start:] == b""
    log = gateway.host.sent().decode().splitlines()
    assert log[1].endswith("Guardian gateway GW-500")
    assert log[-2].endswith("guardian-agent[214]: version 1.4.0, serial number GG000007")
