"""Where a board is now, by who it is.

What its ttys are called and on which hub port it is are hints: both may belong to another board by now, which
must not be written to. A board on USB is found by its serial number. Where that is missing or not its alone,
or where somebody has moved a cable, the candidates are asked who they are. A board of a virtual bench is
found by asking the bench. Anything else is found only where it was, and known only by what it answers.
"""

from __future__ import annotations

import threading
import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from harness.errors import BoardLost, HarnessError, LeaseBusy, RigFault
from harness.inventory import serial_ports
from harness.inventory.board import USB_LOCATION, USB_SERIAL
from harness.inventory.identity import ConsoleOnDemand
from harness.inventory.leases import holder
from harness.inventory.usb_devices import fitting_profile, usb_devices

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from harness.console import Console
    from harness.console.ports import Port
    from harness.inventory.board import Board, Endpoint
    from harness.inventory.profiles import Profile
    from harness.inventory.serial_ports import SerialPort
    from harness.inventory.usb_devices import UsbDevice
    from harness.plugins import HarnessPluginManager

#: How long one candidate may take to say who it is; who has none that answered asks again.
ASK_SECONDS = 2.0
#: Between two looks where nothing tells that something has changed.
LOOK_SECONDS = 0.1
_CONSOLE = "console"


class CannotBeFound(BoardLost):
    """Nothing tells this board from others, so that it makes no sense to wait for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """An endpoint of a board that was found.

    :ivar board: the board, described as it is now.
    :ivar endpoint: the endpoint, with the port that it has now.
    :ivar port: that port, open, when the board was asked on it; whoever gets the sighting closes it.
    :ivar said: what was read from the port.
    :ivar asked: the board said who it is.
    """

    board: Board
    endpoint: Endpoint
    port: Port | None = field(default=None, compare=False)
    said: bytes = b""
    asked: bool = False


def find_endpoint(
    board: Board,
    role: str,
    plugins: HarnessPluginManager,
    *,
    deadline: float,
    ports: Callable[[], Sequence[SerialPort]] | None = None,
) -> Endpoint:
    """Wait until an endpoint of a board is there, and return it with the port that it has now.

    :param board: the board, as it was last known.
    :param role: the endpoint's role.
    :param plugins: who knows kinds of boards, and how to ask.
    :param deadline: when to give up (``time.monotonic``); it is looked once at the least.
    :param ports: lists the host's ports.
    :raises BoardLost: it is not there by then; the text says what was seen instead.
    """
    finder = Finder(plugins, ports)
    never = threading.Event()
    while True:
        try:
            sighting = finder.look(board, role)
        except CannotBeFound:
            raise
        except RigFault as fault:
            left = deadline - time.monotonic()
            if left <= 0:
                raise BoardLost(str(fault)) from fault
            never.wait(min(left, LOOK_SECONDS))
            continue
        if sighting.port is not None:
            sighting.port.close()
        return sighting.endpoint


class Finder:
    """Looks where boards are."""

    def __init__(
        self,
        plugins: HarnessPluginManager,
        ports: Callable[[], Sequence[SerialPort]] | None = None,
        *,
        enough: threading.Event | None = None,
    ) -> None:
        """Look at nothing yet.

        :param plugins: who knows kinds of boards, and how to ask.
        :param ports: lists the host's ports; a port that is still the same is the same object, so that what
            it said does not have to be asked again.
        :param enough: set when nobody needs an answer any more: nobody is asked then.
        """
        self._plugins = plugins
        self._ports = ports or serial_ports.list_serial_ports
        self._enough = enough
        self._listed: Sequence[SerialPort] = ()
        #: What ports said that are other boards'.
        self._others: dict[str, tuple[SerialPort, str]] = {}

    @cached_property
    def _profiles(self) -> Mapping[str, Profile]:
        from harness.inventory.builtin import known_profiles

        return known_profiles(self._plugins)

    def look(
        self,
        board: Board,
        role: str,
        *,
        held: Callable[[], Collection[str]] = tuple,
        returning: bool = False,
        doubted: bool = False,
    ) -> Sighting:
        """Look once where an endpoint of a board is.

        :param board: the board, as it was last known.
        :param role: the endpoint's role.
        :param held: gives the ports that we hold at that moment and that are known to be this board's.
        :param returning: the board went away since it was last known, so that what is where it was may be
            another.
        :param doubted: it has to say who it is, also where it was: nobody is in the middle of listening.
        :raises CannotBeFound: nothing tells the board from others.
        :raises BoardLost: it is not there, or did not say that it is.
        :raises RigFault: somebody else has the port open, or the bench does not answer.
        """
        if board.bench is not None:
            return _on_bench(board, role, board.bench)
        endpoint = board.endpoints[role]
        if _interface(board, endpoint) is None:
            return (
                self._where_it_was(board, endpoint) if returning else Sighting(board=board, endpoint=endpoint)
            )
        return self._on_usb(board, role, held, returning=returning, doubted=doubted)

    def _where_it_was(self, board: Board, endpoint: Endpoint) -> Sighting:
        if board.identity is None:
            raise CannotBeFound(f"only its path says that what is at {endpoint.url} is board {board.id}")
        if "://" not in endpoint.url and not Path(endpoint.url).exists():
            raise BoardLost(f"there is no {endpoint.url}")
        answered = self._ask(board, endpoint)
        if not answered.matches(board):
            answered.close()
            raise BoardLost(f"what is at {endpoint.url} {answered.problem}")
        return Sighting(board=board, endpoint=endpoint, port=answered.port, said=answered.said, asked=True)

    # -- on USB -------------------------------------------------------------------------------------------

    def _on_usb(
        self,
        board: Board,
        role: str,
        held: Callable[[], Collection[str]],
        *,
        returning: bool,
        doubted: bool,
    ) -> Sighting:
        if not (returning or doubted or board.ambiguous) and _is_at_home(board, board.endpoints[role]):
            return Sighting(board=board, endpoint=board.endpoints[role])
        found = self._candidates(board, role)
        if not found:
            serial = board.properties.get(USB_SERIAL)
            what = "like it" if serial is None else f"with the serial number {serial}"
            raise BoardLost(f"no USB device {what} is there")
        ours = held()  # only now: what is still held after the ports were listed had its name when they were
        for one in found:
            if any(url in one.ports for url in ours):
                return Sighting(board=one, endpoint=one.endpoints[role])
        stayed = found[0].properties[USB_LOCATION] == board.properties.get(USB_LOCATION)
        alone = len(found) == 1 and not board.ambiguous
        if alone and ((stayed and not doubted) or board.identity is None):
            return Sighting(board=found[0], endpoint=found[0].endpoints[role])
        if board.identity is not None:
            return self._by_asking(board, role, found)
        if stayed and not returning:  # the session knows it by its place alone, and said so
            return Sighting(board=found[0], endpoint=found[0].endpoints[role])
        raise CannotBeFound(f"nothing tells board {board.id} from others like it: nobody knows how to ask it")

    def _candidates(self, board: Board, role: str) -> list[Board]:
        """Return what may be a board, each described as if it were; what is where it was comes first."""
        serial = board.properties.get(USB_SERIAL)
        wanted = _interface(board, board.endpoints[role])
        found = []
        self._listed = self._ports()
        for device in usb_devices(self._listed):
            if device.serial_number != serial or device.location is None:
                continue
            ports = {port.interface: port.device for port in device.ports if port.interface is not None}
            if wanted in ports and self._is_of_its_kind(board, device):  # its ports come one after the other
                found.append(_at(board, device.location, ports))
        last = board.properties.get(USB_LOCATION)
        return sorted(found, key=lambda one: one.properties[USB_LOCATION] != last)

    def _is_of_its_kind(self, board: Board, device: UsbDevice) -> bool:
        """Tell whether a device may be opened: a stranger may not, whatever serial number it shows."""
        if board.kind_named and device.serial_number is not None:
            return True  # the rig file says by its serial number of which kind it is
        profile = fitting_profile(self._profiles, device.ports)
        return profile is not None and profile.name == board.kind

    def _by_asking(self, board: Board, role: str, found: Sequence[Board]) -> Sighting:
        problems = []
        now = {port.device: port for port in self._listed}
        self._others = {url: other for url, other in self._others.items() if now.get(url) is other[0]}
        for one in found:
            location = one.properties[USB_LOCATION]
            asked_on = one.endpoints.get(_CONSOLE, one.endpoints[role])
            if asked_on.url not in one.ports:  # its ports come one after the other, or it is not on USB
                asked_on = one.endpoints[role]
            if asked_on.url in self._others:
                problems.append(f"what is at {location} {self._others[asked_on.url][1]}")
                continue
            try:
                _refuse_what_others_hold(board, one)
                answered = self._ask(one, asked_on)
            except HarnessError as error:
                problems.append(f"what is at {location} did not say who it is: {error}")
                continue
            if not answered.matches(board):
                answered.close()
                problems.append(f"what is at {location} {answered.problem}")
                self._others[asked_on.url] = (now[asked_on.url], answered.problem)
            elif asked_on is one.endpoints[role]:
                return Sighting(
                    board=one,
                    endpoint=one.endpoints[role],
                    port=answered.port,
                    said=answered.said,
                    asked=True,
                )
            else:
                answered.close()
                return Sighting(board=one, endpoint=one.endpoints[role], asked=True)
        raise BoardLost(f"it ({board.identity}) is not there: {'; '.join(problems)}")

    def _ask(self, board: Board, endpoint: Endpoint) -> _Answered:
        """Ask what is at a port; it stays open when it answered, so that nothing it says is lost."""
        console = ConsoleOnDemand(endpoint, f"{board.id}-{endpoint.role}", ASK_SECONDS, board, self._enough)
        with closing(console):
            identity = self._plugins.hook.harness_identify_board(
                board=board, console=cast("Console", console)
            )
            if identity is None:
                return _Answered(None)
            port, said = console.hand_over()
            return _Answered(str(identity), port, said)


@dataclass(frozen=True, slots=True)
class _Answered:
    """What came of asking what is at a port."""

    identity: str | None
    port: Port | None = None
    said: bytes = b""

    def matches(self, board: Board) -> bool:
        return self.identity is not None and self.identity == board.identity

    @property
    def problem(self) -> str:
        return "does not speak its dialect" if self.identity is None else f"says that it is {self.identity}"

    def close(self) -> None:
        if self.port is not None:
            self.port.close()


def open_sighted(sighting: Sighting, name: str) -> Port:
    """Open the port of an endpoint that was found, if it is not open yet.

    :param sighting: what was found.
    :param name: what its console is called.
    :raises BoardLost: it is gone, or another board got its name meanwhile.
    :raises RigFault: somebody else has it open.
    """
    from harness.console.ports import open_port

    port = sighting.port or open_port(sighting.endpoint, name)
    try:
        _refuse_another(sighting.board, sighting.endpoint)
    except BaseException:
        port.close()
        raise
    return port


def _refuse_another(board: Board, endpoint: Endpoint) -> None:
    number = _interface(board, endpoint)
    there = None if number is None or board.bench is not None else serial_ports.port_at(endpoint.url)
    if there is not None and not _is_port_of(board, there, number):
        raise BoardLost(f"{endpoint.url} is another board's by now")


def _is_at_home(board: Board, endpoint: Endpoint) -> bool:
    """Tell whether a board is where it was last, without looking anywhere else."""
    there = serial_ports.port_at(endpoint.url)
    return there is not None and _is_port_of(board, there, _interface(board, endpoint))


def _is_port_of(board: Board, port: SerialPort, number: int | None) -> bool:
    place = board.properties.get(USB_SERIAL), board.properties.get(USB_LOCATION), number
    return (port.serial_number, port.location, port.interface) == place


def _refuse_what_others_hold(board: Board, candidate: Board) -> None:
    """Refuse to open what another session has leased by its place; our own has leases on all its boards.

    :raises LeaseBusy: another session has it.
    """
    if candidate.properties[USB_LOCATION] == board.properties.get(USB_LOCATION):
        return
    theirs = holder(replace(candidate, ambiguous=True, confirmed=False))
    ours = holder(board)
    if theirs is not None and (ours is None or theirs.session != ours.session):
        raise LeaseBusy(f"it is leased by {theirs}")


def _on_bench(board: Board, role: str, bench: str) -> Sighting:
    from harness.virtual.client import BenchClient

    with BenchClient(bench) as client:
        now = client.board(board.id).state()
    if role not in now.ports:
        raise BoardLost("it is unplugged")
    endpoints = {
        each: replace(endpoint, url=str(now.ports.get(each, endpoint.url)))
        for each, endpoint in board.endpoints.items()
    }
    return Sighting(board=replace(board, endpoints=endpoints), endpoint=endpoints[role])


def _at(board: Board, location: str, ports: Mapping[int, str]) -> Board:
    """Describe a board as if it were at a location; an endpoint that is not there yet keeps its interface."""
    endpoints = {}
    for role, endpoint in board.endpoints.items():
        number = _interface(board, endpoint)
        url = endpoint.url if number is None else ports.get(number, endpoint.url)
        endpoints[role] = replace(endpoint, url=url, interface=number)
    return replace(
        board,
        endpoints=endpoints,
        properties={**board.properties, USB_LOCATION: location},
        ports={device: number for number, device in ports.items()},
    )


def _interface(board: Board, endpoint: Endpoint) -> int | None:
    """Return the number of an endpoint's USB interface; ``None`` when it is not on the board's USB device."""
    if endpoint.interface is not None or endpoint.url in board.ports or "://" in endpoint.url:
        return board.ports.get(endpoint.url) if endpoint.interface is None else endpoint.interface
    real = Path(endpoint.url).resolve()
    return next((number for port, number in board.ports.items() if Path(port).resolve() == real), None)
