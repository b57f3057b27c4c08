"""Damaged lines to a board and to its driver: nothing breaks, and what is refused changes nothing."""

from __future__ import annotations

import os
import re
import select
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cbor2
import pytest

from harness.console import Reply
from harness.errors import BoardFault, CommandRefused
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from harness_nordic import driver_dialect, driver_provisioning
from harness_nordic.driver import Nrf91Driver
from harness_nordic.virtual import at_syntax, wire
from harness_nordic.virtual.cbor import DecodeError
from harness_nordic.virtual.errors import AtError
from harness_nordic.virtual.execution import CommandRunner
from tests.soak.support.generators import damage, flip, text
from tests.soak.support.quiet_board import QuietBoard

if TYPE_CHECKING:
    from random import Random

    from tests.soak.support.rounds import Rounds

MATERIAL = Path(__file__).parents[2] / "suites" / "nrfcloud" / "material"
CERTIFICATE = (MATERIAL / "root-ca-1.pem").read_text().strip()
ID = "d6a5f3f0-5f3e-4b5e-9f60-3a3f2d0c9a11"

LINES = (
    *("AT", "AT+CGSN", "AT+CGSN=1", "AT+CGMI", "AT+CGMM", "AT+CGMR", "AT%SHORTSWVER", "AT%HWVERSION"),
    *("AT%XMODEMUUID", "AT%DEVICEUUID", "AT+CMEE?", "AT+CMEE=1", "AT+CMEE=0", "AT+CFUN?", "AT+CFUN=4"),
    *("AT+CFUN=1", "AT+CFUN=0", "AT+CFUN=20", "AT+CFUN=31", "AT+CEREG?", "AT+CEREG=5", "AT+CEREG=0"),
    *("AT%CCLK?", "AT+CCLK?", 'AT+CCLK="26/01/02,03:04:05+08"', "AT%ATTESTTOKEN", "AT#XNRFPROV=?"),
    *('AT%ATTESTTOKEN="000102030405060708090a0b0c0d0e0f"', "AT%KEYGEN=5,2,0", "AT%KEYGEN=5,2,1"),
    *('AT%KEYGEN=6,2,0,"CN=x,O=y","101010000"', 'AT%KEYGEN=7,8,0,"","111000000"', "AT%CMNG=1", "AT%CMNG=1,5"),
    *("AT%CMNG=1,5,2", "AT%CMNG=2,5,0", "AT%CMNG=2,9,4", "AT%CMNG=3,5,0", "AT%CMNG=3,5,2", "AT%CMNG=3,6,2"),
    *(f'AT%CMNG=0,5,0,"{CERTIFICATE}"', f'AT%CMNG=0,5,1,"{CERTIFICATE}"', 'AT%CMNG=0,9,3,"00ff"'),
    *('AT%CMNG=0,9,4,"identity"', 'AT%CMNG=0,8,2,"key","password"', 'AT%JWT=0,300,"",""'),
    *('AT%JWT=0,0,"sub","aud",5,2', "AT%JWT", "AT%JWT=,,,,6,2"),
)
PIECES = (
    *(",", '"', "=", "?", "AT", "+", "%", "#", " ", "\t", "\r", "\n", "\0", "\x7f", "\x08", "\\", ";"),
    *("0", "1", "2", "4", "5", "8", "12", "513", "4294967294", "99999999999", "-1", "0x5", "CMNG", "CFUN="),
    *("CN=", "\x80", "\xff", "\u0663", '""', ",,", "=?", "at", "Cn=é", "0,5,0,", "3,5,2"),
)
PAST_THE_PARSER = 0.2


def refused(reply: bytes) -> bool:
    """Tell whether a reply is an error and nothing else."""
    words = [line for line in reply.replace(b"\n", b"\r").split(b"\r") if line]
    return bool(words) and all(re.fullmatch(rb"ERROR|\+CME ERROR: \d+", word) for word in words)


def reached(line: str) -> str:
    """Say how far a line gets: to no command, to an unknown one, or to its own handler."""
    try:
        command = at_syntax.parse(line)
    except AtError:
        return "no command"
    return "known" if f"AT{command.name}" in KNOWN else "unknown command"


KNOWN = {re.split("[=?]", line)[0] for line in LINES} | {"AT#XNRFPROV"}


def settle(board: QuietBoard, random: Random) -> None:
    """Keep the store small, and the board now offline and now active."""
    board.board.modem.execute("AT+CFUN=4")
    if len(board.board.store.entries()) > 20:
        for entry in board.board.store.entries():
            board.board.modem.execute(f"AT%CMNG=3,{entry.tag},{entry.type:d}")
    board.board.modem.execute(f"AT+CMEE={random.randrange(2)}")
    if random.random() < 0.2:
        board.board.modem.execute("AT+CFUN=1")


def test_damaged_lines_on_the_console(rounds: Rounds) -> None:
    """The board answers or waits for more; an error changes nothing; then it is as quick as ever."""
    board = QuietBoard()
    for random in rounds.run(100_000):
        settle(board, random)
        line = damage(random, random.choice(LINES), PIECES, most=3)
        before = board.state()

        reply = board.type(line.encode("utf-8", "surrogateescape") + b"\r")

        far = reached(line)
        if refused(reply):
            assert board.state() == before, line
            far += ", refused" if far == "known" else ""
        else:
            far += ", done" if b"OK" in reply else ", waits for more"
        rounds.count(far)
        board.board.reset()  # what waits for its quote is forgotten
        assert board.type(b"AT\r").endswith(b"\nOK\r\n")
    past = sum(number for outcome, number in rounds.outcomes.items() if outcome.startswith("known"))
    assert past >= PAST_THE_PARSER * sum(rounds.outcomes.values())


def batch(random: Random) -> bytes:
    """Encode commands as a service would."""
    made: list[list[Any]] = []
    for number in range(random.randint(1, 4)):
        kind = random.random()
        name, _equals, parameters = random.choice(LINES)[2:].partition("=")
        if kind < 0.6:
            made.append(
                [f"{ID}.{number:x}", 0, name, damage(random, parameters, PIECES, 2), [513][: number % 2]]
            )
        elif kind < 0.9:
            pairs = {text(random): text(random, 300) for _pair in range(random.randint(0, 4))}
            made.append([f"{ID}.{number:x}", 1, pairs])
        else:
            made.append([f"{ID}.{number:x}", 2])
    return cbor2.dumps(made)


def test_damaged_commands_of_the_service(rounds: Rounds) -> None:
    """A batch that cannot be read changes nothing; of one that can, each failed command changes nothing."""
    board = QuietBoard()
    runner = CommandRunner(
        board.board.modem.execute, board.board.settings.save, buffer_size=2304, go_offline=lambda: None
    )
    for random in rounds.run(40_000):
        settle(board, random)
        whole = batch(random)
        data = flip(random, whole, 2) if random.random() < 0.6 else whole
        try:
            commands = wire.decode_commands(data, limit=10, canonical=random.random() < 0.5)
        except DecodeError:
            rounds.count("cannot be read")
            continue
        outcome = "done"
        for command in commands:
            if isinstance(command, wire.FinishedCommand):
                continue
            before = board.state()
            response = runner.execute(command)
            wire.encode_responses([response], canonical=random.random() < 0.5)
            if isinstance(response, wire.Failed):
                outcome = "failed"
                if isinstance(command, wire.AtCommand):
                    assert board.state() == before, command
                break
        rounds.count(outcome)
    assert rounds.outcomes["done"] + rounds.outcomes["failed"] >= PAST_THE_PARSER * rounds.outcomes.total()


REPLIES = (
    "359404230261381",
    "+CFUN: 1",
    "+CMEE: 0",
    "%DEVICEUUID: 50363154-3931-4aaa-8bbb-000102030405",
    f'%CMNG: 910000000,0,"{"0123456789ABCDEF" * 4}"',
    f'%CMNG: 910000000,0,"{"0123456789ABCDEF" * 4}","{CERTIFICATE}"',
    '%ATTESTTOKEN: "2dn3hQFQUDYx.0oRDoQEm"',
    '%JWT: "eyJ0eXAi.eyJpc3Mi.Uckp7Y5K"',
    "+CEREG: 1",
    '%XTIME: ,"42","01"',
    "#XNRFPROV: -3",
)
FINALS = ("OK", "ERROR", "+CME ERROR: 513", "+CMS ERROR: 5")


class DamagedConsole:
    """Answers every command with the same lines."""

    def __init__(self) -> None:
        """Answer nothing yet."""
        self.lines: list[str] = []
        self.final = "OK"

    def command(self, line: str, dialect: driver_dialect.AtDialect, **_how: Any) -> Reply:
        """Answer; what the dialect takes for unsolicited is no part of it."""
        return Reply(
            line, tuple(each for each in self.lines if not dialect.is_unsolicited(each)), self.final, 0.0
        )


def test_damaged_replies_to_the_driver(rounds: Rounds, quiet_leased_board: Any) -> None:
    """The driver reads a reply or says what is wrong with it, by one of two errors, and briefly."""
    console = DamagedConsole()
    driver = Nrf91Driver(quiet_leased_board(console))
    console.lines = ["+CMEE: 1", "+CFUN: 4"]
    driver._prepare()
    calls = (
        (driver.imei, REPLIES[0]),
        (driver.functional_mode, REPLIES[1]),
        (driver.device_uuid, REPLIES[3]),
        (driver.credentials, REPLIES[4]),
        (lambda: driver.credential_digest(910000000, 0), REPLIES[4]),
        (driver.attestation_token, REPLIES[6]),
        (driver.jwt, REPLIES[7]),
    )
    for random in rounds.run(40_000):
        call, right = random.choice(calls)
        lines = [right, *(random.choice(REPLIES) for _line in range(random.choice((0, 0, 1, 2))))]
        random.shuffle(lines)
        console.lines = [damage(random, line, PIECES, 2) for line in lines]
        console.final = random.choice(FINALS) if random.random() < 0.2 else "OK"
        complaint = ""
        try:
            call()
        except (BoardFault, CommandRefused) as error:
            complaint = str(error)
            rounds.count(type(error).__name__)
        else:
            rounds.count("read")
        assert len(complaint) < 400
    assert rounds.outcomes["read"] >= PAST_THE_PARSER * rounds.outcomes.total()


LOG = (
    b"[00:00:00.056,192] <inf> nrf_provisioning: event START\r\n"
    b"[00:00:00.060,247] <inf> nrf_provisioning_http: GET /v1/provisioning/commands status 200\r\n"
    b"[00:00:00.061,247] <inf> nrf_provisioning_http: POST /v1/provisioning/response no answer\r\n"
    b"[00:00:00.060,341] <inf> nrf_provisioning: event FAILED_WRONG_ROOT_CA\r\n"
)
LOG_PIECES = (
    b"\r\n",
    b"event DONE\r\n",
    b"status 200",
    b"nrf_provisioning: ",
    b"\xff",
    b"status 99999",
    b"GET ",
)


def test_damaged_lines_to_the_readers(rounds: Rounds) -> None:
    """Dialect, log and notification are read or not; what hides secrets finds them in it."""
    for random in rounds.run(15_000):
        line = damage(random, random.choice(random.choice((REPLIES, FINALS, LINES))), PIECES, 2)
        dialect = driver_dialect.AtDialect(random.choice(LINES))
        rounds.count(
            "final" if dialect.is_final(line) else "unsolicited" if dialect.is_unsolicited(line) else "data"
        )
        assert isinstance(driver_dialect.error_code(line), int | None)
        shown = driver_dialect.without_content(line)
        assert driver_dialect.without_content(shown) == shown
        for value, label in driver_dialect.secrets_in(line):
            assert value in line
            assert label
        outcome = driver_provisioning.read_log(damage(random, LOG, LOG_PIECES, 3))
        assert outcome is None or outcome.event
        driver_provisioning.read_notification(random.randint(-(2**40), 2**40))


UNSOLICITED = re.compile(rb"\r\n(\+CEREG|#XNRFPROV): [^\r\n]*\r\n")


def closing(line: bytes) -> bytes:
    """Return what ends a line on an AT host: the missing quote, if one is missing, and CR."""
    kept: list[int] = []
    quoted = False
    for byte in line:
        if byte in b"\x08\x7f":
            if kept and kept.pop() == ord('"'):
                quoted = not quoted
            continue
        if byte == ord('"'):
            quoted = not quoted
        elif byte == ord("\r") and not quoted:
            kept.clear()
            continue
        kept.append(byte)
    return b'"\r' if quoted else b"\r"


def test_damaged_lines_through_a_tty(rounds: Rounds, tmp_path: Path) -> None:
    """The same over a real line: the board stays alive, and what is refused changes nothing."""
    with (
        start_bench(tmp_path / "b", [("nrf9151dk-virtual", "dk", {})]) as bench,
        BenchClient(bench.socket) as client,
    ):
        board = client.board("dk")
        port = os.open(board.state().ports["console"], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            for number, random in enumerate(rounds.run(5_000)):
                rounds.count(_line_through_a_tty(board, port, random, f"AT mark {number}"))
        finally:
            os.close(port)
        assert client.board("dk").state().crashed is None
    assert rounds.outcomes["executed"] >= PAST_THE_PARSER * rounds.outcomes.total()


def _line_through_a_tty(board: Any, port: int, random: Random, mark: str) -> str:
    """Send a damaged line and a mark behind it, and look when the board has taken the mark."""
    line = damage(random, random.choice(LINES), PIECES, most=3).encode("utf-8", "surrogateescape")
    board.call("passed_points", clear=True)
    before = (board.call("credentials"), board.call("settings"))
    reply = _send(port, line + closing(line) + mark.encode() + b"\r", b"")
    deadline = time.monotonic() + 20
    while ["after at", mark] not in board.call("passed_points"):
        assert time.monotonic() < deadline, f"the board hangs after {line!r}"
    reply = _send(port, b"", reply)
    while not reply.rstrip().endswith(b"ERROR"):  # that of the mark comes last
        assert time.monotonic() < deadline, f"no answer after {line!r} but {reply!r}"
        reply = _send(port, b"", reply)
    if refused(reply):
        assert (board.call("credentials"), board.call("settings")) == before, line
        return "refused" if reached(line.decode("utf-8", "surrogateescape")) != "known" else "executed"
    return "executed"


def _send(port: int, data: bytes, heard: bytes) -> bytes:
    """Write it all, and return what was heard before and meanwhile."""
    while True:
        readable, writable, _ = select.select([port], [port] if data else [], [], 0 if not data else 5)
        if readable:
            heard = UNSOLICITED.sub(b"", heard + os.read(port, 65536))
        if writable:
            data = data[os.write(port, data[:2000]) :]
        if not data and not readable:
            return heard


@pytest.fixture
def quiet_leased_board() -> Any:
    """Make what a driver needs of a board around a console."""
    from harness.backends.contract import UnkeptAccounts
    from harness.config import BoardSettings
    from harness.inventory.board import Board

    class Held:
        def __init__(self, console: Any) -> None:
            self.id = "paper"
            self.console = console
            self.settings = BoardSettings()
            self.accounts = UnkeptAccounts()
            self.capabilities = frozenset({"provisioning-agent"})
            self.description = Board(id="paper", kind="paper", driver="nrf91", bench="none")

        def register_secret(self, value: str, label: str) -> None:
            assert value
            assert label

    return Held
