"""Who the boards are: each is asked in its own dialect, and what it says counts before what USB shows.

Where a board is, and what its ttys are called, changes; the serial number of a probe may be missing, or two
probes have the same one. So who a board is follows from its serial number only where that is unique, and is
confirmed by asking before anything is done with the board. Nothing is asked but boards that the caller has
leased.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from harness.errors import BoardLost, ConsoleTimeout, HarnessError, RigFault
from harness.inventory import serial_ports
from harness.inventory.board import USB_LOCATION, USB_SERIAL
from harness.inventory.usb_devices import device_behind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.console import Console, Match, Reply
    from harness.inventory.attached import AbsentBoard, Survey
    from harness.inventory.board import Board, Endpoint
    from harness.plugins import HarnessPluginManager

#: How long each port of a board may take to answer.
ASK_SECONDS = 5.0
#: What an identity looks like: it may become a board's name.
IDENTITY = re.compile(r"[^\s/]\S*")
_CONSOLE = "console"
_MOST_AT_ONCE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of asking one board.

    :ivar board: the board, as it was when it was asked.
    :ivar identity: who it says it is; ``None`` when it did not say, or was not asked.
    :ivar url: the port that answered.
    :ivar interface: number of that port's USB interface, if it has one.
    :ivar problem: why it did not say; ``None`` of a board that no plugin knows how to ask.
    :ivar silent: its ports are there and ours to use, and nothing came from any of them.
    """

    board: Board
    identity: str | None = None
    url: str | None = None
    interface: int | None = None
    problem: str | None = None
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """Which of the boards that were asked may be used.

    :ivar boards: those that may, in the order of their names; as the rig file and their answers make them.
    :ivar refused: those that may not, as they were asked, each with the reason.
    :ivar absent: boards of the rig file that are not there.
    :ivar notes: what a user should know, in lines.
    :ivar was: the boards as they were asked, by the name of what became of them.
    """

    boards: tuple[Board, ...]
    refused: tuple[tuple[Board, str], ...] = ()
    absent: tuple[AbsentBoard, ...] = ()
    notes: tuple[str, ...] = ()
    was: Mapping[str, Board]


def ask_boards(
    boards: Sequence[Board],
    plugins: HarnessPluginManager,
    *,
    seconds: float = ASK_SECONDS,
    enough: threading.Event | None = None,
) -> list[Answer]:
    """Ask boards who they are, all at the same time.

    Each is asked on its console first and then on the other ports of its own USB device; a port of anything
    else is never opened. A board that no plugin knows how to ask is not opened at all.

    :param boards: the boards, which the caller has leased.
    :param plugins: who knows how to ask (``harness_identify_board``).
    :param seconds: how long each port may take.
    :param enough: set when nobody needs the answers any more; what was sent then is waited for, no more.
    :return: an answer a board, in the boards' order.
    """
    if not boards:
        return []
    enough = enough or threading.Event()
    with ThreadPoolExecutor(min(len(boards), _MOST_AT_ONCE), "ask-board") as pool:
        try:
            return list(pool.map(partial(_ask, plugins=plugins, seconds=seconds, enough=enough), boards))
        except BaseException:  # somebody interrupts: what is being asked now ends by its deadline
            enough.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _ask(board: Board, plugins: HarnessPluginManager, seconds: float, enough: threading.Event) -> Answer:
    problems: list[str] = []
    silent = True
    for endpoint in _ports_to_ask(board):
        if enough.is_set():
            break
        console = ConsoleOnDemand(endpoint, f"{board.id}-{endpoint.role}", seconds, board, enough)
        with closing(console):
            try:
                identity = plugins.hook.harness_identify_board(board=board, console=cast("Console", console))
            except HarnessError as error:
                problems.append(str(error))
                silent = silent and isinstance(error, ConsoleTimeout)
                if isinstance(error, RigFault) and not isinstance(error, BoardLost):
                    break  # somebody uses the board without a lease, or we may not: leave it alone
                continue
        if identity is not None and IDENTITY.fullmatch(identity) is None:
            problems.append(f"{endpoint.url}: {identity!r} is no identity, which has no blanks in it")
        elif identity is not None:
            return Answer(
                board=board,
                identity=identity,
                url=endpoint.url,
                interface=_interface(board, endpoint.url),
            )
        elif not console.used:
            return Answer(board=board)
        else:
            silent = False
            problems.append(f"{endpoint.url}: what is there speaks as no board of driver {board.driver} does")
    return Answer(board=board, problem="; ".join(problems) or None, silent=silent and bool(problems))


def _interface(board: Board, url: str) -> int | None:
    return board.ports.get(device_behind(url, board.ports))


def _ports_to_ask(board: Board) -> Iterator[Endpoint]:
    """Give the console, and then each other port of the board as if it were the console."""
    if not board.endpoints:
        return
    console = board.endpoints.get(_CONSOLE) or board.endpoints[min(board.endpoints)]
    yield console
    urls = [endpoint.url for _, endpoint in sorted(board.endpoints.items())]
    urls += [port for port, _ in sorted(board.ports.items(), key=lambda one: (one[1], one[0]))]
    seen = {device_behind(console.url, board.ports)}
    for url in urls:
        device = device_behind(url, board.ports)
        if device not in seen:
            seen.add(device)
            yield replace(console, url=url)


class ConsoleOnDemand:
    """The console of a board that is asked: opened when it is first used, and no wait outlasts the deadline.

    :ivar used: it was opened, or somebody tried to.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        name: str,
        seconds: float,
        board: Board | None = None,
        enough: threading.Event | None = None,
    ) -> None:
        """Open nothing yet.

        :param endpoint: what to open.
        :param name: what it is called in messages.
        :param seconds: how long it may be used from then on.
        :param board: whose port it is, as it was listed: nothing is written to what has its name since.
        :param enough: set when nobody needs an answer any more: no wait begins then.
        """
        self._enough = enough
        self._board = board
        self.used = False
        self._endpoint = endpoint
        self._name = name
        self._seconds = seconds
        self._end = 0.0
        self._console: Console | None = None

    def _opened(self) -> Console:
        if self._console is None:
            from harness.console import Console

            if not self.used:
                self.used = True
                self._end = time.monotonic() + self._seconds
            # Once lest another device is opened, and once more since its name may go to one meanwhile.
            self._refuse_another()
            console = Console.open(self._endpoint, name=self._name, directory=None)
            try:
                self._refuse_another()
            except BoardLost:
                console.close()
                raise
            self._console = console
        return self._console

    def _refuse_another(self) -> None:
        """See that the port is still the board's.

        :raises BoardLost: its name is another device's by now.
        """
        url = self._endpoint.url
        number = None if self._board is None else _interface(self._board, url)
        if self._board is None or number is None:  # not on the board's USB device
            return
        there = serial_ports.port_at(device_behind(url, self._board.ports))
        if there is None:  # on a host without udev nobody knows; what is gone cannot be opened
            return
        facts = self._board.properties
        listed = facts.get(USB_SERIAL), facts.get(USB_LOCATION), number
        if (there.serial_number, there.location, there.interface) != listed:
            raise BoardLost(f"{url} is another device's by now")

    def _left(self, timeout: float) -> float:
        """Return how long a wait may last.

        :raises ConsoleTimeout: the time is over.
        """
        if self._enough is not None and self._enough.is_set():
            raise ConsoleTimeout(f"{self._name}: nobody needs the answer of {self._endpoint.url} any more")
        left = self._end - time.monotonic()
        if left <= 0:
            raise ConsoleTimeout(
                f"{self._name}: {self._endpoint.url} gave no answer within {self._seconds:g} s"
            )
        return min(timeout, left)

    def expect(self, *patterns: Any, timeout: float, reason: str = "") -> Match:
        """Wait as :meth:`harness.console.Console.expect` does."""
        console = self._opened()
        return console.expect(*patterns, timeout=self._left(timeout), reason=reason)

    def command(self, line: str, dialect: Any, *, timeout: float, **more: Any) -> Reply:
        """Send a command as :meth:`harness.console.Console.command` does."""
        console = self._opened()
        return console.command(line, dialect, timeout=self._left(timeout), **more)

    def wait_unsolicited(self, wanted: Any, *, timeout: float, reason: str = "") -> str:
        """Wait as :meth:`harness.console.Console.wait_unsolicited` does."""
        console = self._opened()
        return console.wait_unsolicited(wanted, timeout=self._left(timeout), reason=reason)

    def __getattr__(self, name: str) -> Any:
        """Open the console for everything else of it."""
        return getattr(self._opened(), name)

    def close(self) -> None:
        """Close what was opened."""
        if self._console is not None:
            self._console.close()


def place_of(board: Board) -> str:
    """Return where a board is: its location on USB, its first port, or its name where nothing else tells."""
    return board.properties.get(USB_LOCATION) or next(iter(board.ports), board.id)


def identities_of(answers: Sequence[Answer]) -> dict[str, str]:
    """Return who the boards say they are, by where they are (:func:`place_of`).

    What two boards say alike is true of neither, and left out.

    :param answers: what they said.
    """
    said = Counter(answer.identity for answer in answers)
    return {
        place_of(answer.board): answer.identity
        for answer in answers
        if answer.identity is not None and said[answer.identity] == 1
    }


def confirm(answers: Sequence[Answer], survey: Survey | None) -> Confirmed:
    """Say which of the boards that were asked may be used, and as what.

    :param answers: what they said.
    :param survey: what is attached, made with :func:`identities_of` the answers, so that each board has the
        entry of the rig file that is its own; ``None`` where boards come from elsewhere.
    """
    known = {place_of(board): board for board in survey.boards} if survey is not None else {}
    said = Counter(answer.identity for answer in answers)
    boards: dict[str, Board] = {}
    was: dict[str, Board] = {}
    refused: list[tuple[Board, str]] = []
    notes: list[str] = []
    for answer in answers:
        asked = answer.board
        reason = _refusal(answer, said)
        if reason is None and survey is not None and asked.ports and place_of(asked) not in known:
            reason = "it went away while it was asked"
        if reason is not None:
            refused.append((asked, reason))
            continue
        board = known.get(place_of(asked), asked)
        if answer.identity is not None:
            board = replace(board, identity=answer.identity, confirmed=True)
            board, remark = _speaking_where_it_answered(board, answer)
            notes += _what_changed(asked, board) + remark
        elif board.ambiguous:
            notes.append(
                f"board {board.id} is known by its place alone: {board.ambiguity}, and no plugin knows how to"
                " ask who it is"
            )
        boards[board.id], was[board.id] = board, asked
    absent = () if survey is None else tuple(one for one in survey.absent if one.board.id not in boards)
    ordered = dict(sorted(boards.items()))
    return Confirmed(
        boards=tuple(ordered.values()), refused=tuple(refused), absent=absent, notes=tuple(notes), was=was
    )


def _refusal(answer: Answer, said: Mapping[str | None, int]) -> str | None:
    """Say why a board may not be used; ``None`` when it may."""
    board = answer.board
    if answer.problem is not None:
        return f"it did not say who it is: {answer.problem}"
    if answer.identity is None:
        return None
    if said[answer.identity] > 1:
        return f"it says that it is {answer.identity}, and so does another board"
    if not board.ports and board.identity is not None and board.identity != answer.identity:
        return f"it says that it is {answer.identity}, and it should be {board.identity}"
    return None


def _speaking_where_it_answered(board: Board, answer: Answer) -> tuple[Board, list[str]]:
    """Return the board with its console where it answered, and what there is to say of that."""
    role = _CONSOLE if _CONSOLE in board.endpoints else min(board.endpoints, default=None)
    if role is None or answer.url is None:
        return board, []
    expected = board.endpoints[role]
    ports = answer.board.ports
    if device_behind(answer.url, ports) == device_behind(expected.url, ports):
        return board, []
    endpoints = {
        name: replace(one, url=expected.url) if one.url == answer.url else one
        for name, one in board.endpoints.items()
    }
    endpoints[role] = replace(expected, url=answer.url)
    text = f"board {board.id} answers on {answer.url} and not on {expected.url}"
    if answer.interface is not None:
        text += f"; for good: endpoints.{role}.interface = {answer.interface} in the rig file"
    return replace(board, endpoints=endpoints), [text]


def _what_changed(asked: Board, board: Board) -> list[str]:
    """Say what asking found out, if anything."""
    where = asked.properties.get(USB_LOCATION)
    there = f"at {where}" if where else f"on {next(iter(asked.endpoints.values())).url}"
    if asked.ambiguous:
        name = "the board" if board.id == board.identity else f"board {board.id}"
        return [f"{name} {there} was told apart by asking: it is {board.identity} ({asked.ambiguity})"]
    if board.id != asked.id:
        return [f"board {board.id} is {there}, where {asked.id} was looked for: it is {board.identity}"]
    return []
