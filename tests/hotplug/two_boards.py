"""Two identical boards on two hub ports through random rounds of unplug, swap and replug, in one process.

Run in a virtual USB lab: ``python -m tests.hotplug.two_boards SOCKET SEED ROUNDS``. Both boards hang on the
lab already. Every round is printed, and what was sent to which board is compared with what the bench says
that each of them heard. The first mistake ends the run with an exit code that is not 0.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.config import BenchChoice, BoardSettings, Settings
from harness.inventory.board import Board, Endpoint
from harness.inventory.builtin import survey
from harness.inventory.identity import ask_boards, confirm, identities_of
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import load_plugins
from harness.virtual.client import BenchClient
from harness_nordic.driver_dialect import AtDialect

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.console import Console
    from harness.plugins import HarnessPluginManager

HUB_PORTS = ("1-1.1", "1-1.2", "1-1.3", "1-1.4")
TTYS = tuple(f"ttyACM{number}" for number in range(8))
ROLES = ("console", "trace")
TRACE_INTERFACE = 2
SECONDS = 20.0


class Twin:
    """One of the two boards: as the harness holds it, and as the bench controls it.

    :ivar place: hub port.
    :ivar names: names of its ttys by role.
    :ivar resets: how often it was reset.
    """

    def __init__(self, leased: LeasedBoard, controls: Any) -> None:
        self.leased = leased
        self.controls = controls
        state = controls.state()
        self.imei = state.properties["imei"]
        self.place = state.usb["port"]
        self.names = {role: path.name for role, path in state.ports.items()}
        self.resets = 0

    def plug(self, place: str, names: dict[str, str]) -> None:
        self.controls.plug(port=place, names=names)
        self.place, self.names = place, names

    def heard(self) -> list[str]:
        """Return the marks that reached this board since they were asked for last."""
        passed = self.controls.call("passed_points", clear=True)
        return [detail for point, detail in passed if point == "before at" and "MARK" in detail]

    def asked(self) -> int:
        """Return how often it was asked who it is since the marks were cleared last."""
        passed = self.controls.call("passed_points")
        return sum(1 for point, detail in passed if point == "before at" and detail == "AT+CGSN")


def found_boards(plugins: HarnessPluginManager) -> list[Board]:
    """Find the boards of the host as a session does, and ask each who it is."""
    settings = Settings(bench=BenchChoice(kind="attached"))
    found = [board for boards in plugins.hook.harness_discover_boards(settings=settings) for board in boards]
    answers = ask_boards(found, plugins)
    confirmed = confirm(answers, survey(plugins, None, identities_of(answers))).boards
    return [with_trace(board) for board in confirmed]


def with_trace(board: Board) -> Board:
    """Describe the board's second port, as a rig file would."""
    (url,) = [url for url, interface in board.ports.items() if interface == TRACE_INTERFACE]
    return replace(board, endpoints={**board.endpoints, "trace": Endpoint(role="trace", url=url)})


def until(fulfilled: Callable[[], bool], what: str) -> None:
    """Wait until something is so that no event tells of."""
    pause, deadline = threading.Event(), time.monotonic() + SECONDS
    while not fulfilled():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {SECONDS:g} s: {what}")
        pause.wait(0.005)


class Rounds:
    """Moves two boards about."""

    def __init__(self, one: Twin, two: Twin, dice: random.Random) -> None:
        self.twins = (one, two)
        self.dice = dice
        self.moves: tuple[Callable[[], str], ...] = (
            self.one_moves,
            self.swap,
            self.names_are_exchanged,
            self.both_move,
            self.takes_over,
            self.comes_back_at_once,
        )

    def other(self, twin: Twin) -> Twin:
        return self.twins[1] if twin is self.twins[0] else self.twins[0]

    def shuffled(self) -> list[Twin]:
        return self.dice.sample(self.twins, 2)

    def names(self, *taken: str) -> dict[str, str]:
        free = [name for name in TTYS if name not in taken]
        return dict(zip(ROLES, self.dice.sample(free, 2), strict=True))

    def one_moves(self) -> str:
        twin = self.dice.choice(self.twins)
        other = self.other(twin)
        twin.controls.unplug()
        place = self.dice.choice([port for port in HUB_PORTS if port != other.place])
        twin.plug(place, self.names(*other.names.values()))
        return f"{twin.leased.id} is replugged"

    def swap(self) -> str:
        first, second = self.shuffled()
        places = [(twin.place, twin.names) for twin in (second, first)]
        for twin in self.shuffled():
            twin.controls.unplug()
        first.plug(*places[0])
        second.plug(*places[1])
        return "both are swapped, ports and ttys"

    def names_are_exchanged(self) -> str:
        first, second = self.shuffled()
        names = [second.names, first.names]
        for twin in self.shuffled():
            twin.controls.unplug()
        first.plug(first.place, names[0])
        second.plug(second.place, names[1])
        return "both stay, and get each other's ttys"

    def both_move(self) -> str:
        first, second = self.shuffled()
        for twin in self.shuffled():
            twin.controls.unplug()
        places = self.dice.sample(HUB_PORTS, 2)
        first.plug(places[0], self.names())
        second.plug(places[1], self.names(*first.names.values()))
        return "both are replugged"

    def takes_over(self) -> str:
        first, second = self.shuffled()
        place, names = first.place, first.names
        first.controls.unplug()
        second.controls.unplug()
        second.plug(place, names)
        free = [port for port in HUB_PORTS if port != place]
        first.plug(self.dice.choice(free), self.names(*names.values()))
        return f"{second.leased.id} gets the ttys and the port of {first.leased.id}"

    def comes_back_at_once(self) -> str:
        twin = self.dice.choice(self.twins)
        taken = {*twin.names.values(), *self.other(twin).names.values()}
        names = self.names(*taken)
        twin.controls.replug(port=twin.place, names=names)
        twin.names = names
        return f"{twin.leased.id} re-enumerates"

    def play(self, number: int, pool: ThreadPoolExecutor) -> str:
        """Play one round and return what happened in it."""
        waiting = self.dice.choice((None, *self.twins))
        hears = None
        if waiting is not None:
            console = waiting.leased.console
            hears = pool.submit(console.wait_unsolicited, "Ready", timeout=SECONDS)
        what = self.dice.choice(self.moves)()
        sent: dict[Twin, list[str]] = {twin: [] for twin in self.twins}
        for count, twin in enumerate(self.shuffled()):
            mark = f"AT+MARK{number}X{count}"
            sent[twin].append(mark)
            if twin is not waiting:  # one wait at a time
                twin.leased.console.command(mark, AtDialect(mark), timeout=SECONDS)
        if waiting is not None and hears is not None:
            self.comes_back(waiting)
            waiting.controls.reset()
            waiting.resets += 1
            assert hears.result(SECONDS) == "Ready"
            mark = sent[waiting][0]
            waiting.leased.console.command(mark, AtDialect(mark), timeout=SECONDS)
        for twin in self.twins:
            self.comes_back(twin)
            assert twin.leased.driver.imei() == twin.imei, "another board answers"
            assert twin.leased.description.properties["usb_location"] == twin.place
            readies = [text for _time, text in twin.leased.console.unsolicited if text == "Ready"]
            assert len(readies) == twin.resets, "it heard another board boot"
            heard = twin.heard()
            assert heard == sent[twin], f"{twin.leased.id} heard {heard} and was sent {sent[twin]}"
        waited = "" if waiting is None else f", while {waiting.leased.id} is waited for"
        return f"{what}{waited}"

    def comes_back(self, twin: Twin) -> None:
        """Wait until each endpoint of a board is open where the bench has it."""
        for role in ROLES:
            endpoint, path = twin.leased.endpoint(role), f"/dev/{twin.names[role]}"
            until(partial(is_on, endpoint, path), f"{endpoint.name} is on {path}")


def is_on(console: Console, path: str) -> bool:
    """Tell whether a console is open on a port; nothing moves any more, so it must be open on no other.

    :raises AssertionError: it is.
    """
    url = console.url
    there = console.is_there()
    assert not there or path == url or console.url != url, f"{console.name} is on {url}, the board on {path}"
    return there and path == url


def main() -> None:
    """Play the rounds."""
    socket, seed, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    plugins = load_plugins()
    with BenchClient(socket) as client, ExitStack() as resources, ThreadPoolExecutor(1) as pool:
        by_imei = {one.properties["imei"]: one.id for one in client.boards() if one.kind != "stranger"}
        twins = []
        for board in found_boards(plugins):
            leased = LeasedBoard(
                board, plugins, capture_directory=None, settings=BoardSettings(reconnect_seconds=SECONDS)
            )
            resources.callback(leased.close)
            assert board.identity is not None
            twins.append(Twin(leased, client.board(by_imei[board.identity])))
            for role in ROLES:
                leased.endpoint(role)
        one, two = twins
        for twin in twins:
            twin.leased.driver.imei()
            twin.heard()
        game = Rounds(one, two, random.Random(seed))  # noqa: S311 - to be repeatable is the point
        for number in range(1, rounds + 1):
            began = time.monotonic()
            what = game.play(number, pool)
            where = ", ".join(
                f"{twin.leased.id} at {twin.place} on {twin.names['console']} and {twin.names['trace']}"
                for twin in twins
            )
            sys.stdout.write(f"round {number:2} ({time.monotonic() - began:.2f} s): {what}: {where}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
