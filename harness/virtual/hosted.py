"""One virtual board on the bench: its ports, its supply, its crash; and what it is offered as a host."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from harness.errors import BenchFault, HarnessError, UsageError
from harness.virtual.access import PRIVATE
from harness.virtual.auto_reset import AutoReset
from harness.virtual.blocking import start_blocking
from harness.virtual.cables import ANYHOW
from harness.virtual.contract import HasBootPin
from harness.virtual.hanging import Hang
from harness.virtual.hearing import Hearing
from harness.virtual.making import make_board
from harness.virtual.ports import Port
from harness.virtual.shaping import Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from concurrent.futures import Future

    from harness.virtual.access import BenchAccess
    from harness.virtual.async_thread import AsyncThread
    from harness.virtual.cables import Cable, Placement
    from harness.virtual.contract import Timer, VirtualBoardSpec, VirtualKind
    from harness.virtual.loop import Loop
    from harness.virtual.tty_watch import TtyWatch

T = TypeVar("T")

_log = logging.getLogger(__name__)


class HostedBoard:
    """Hosts one board; fulfils :class:`harness.virtual.contract.BoardHost`.

    Plug and supply are apart: pulling the cable does not stop the firmware, switching the power off does
    not remove the ports (on a development kit they belong to the interface chip).
    What a board raises never reaches the loop: it is logged, and the board counts as crashed from then on.

    :ivar spec: what was asked for.
    :ivar plugged: whether the ports exist.
    :ivar powered: whether the supply is on.
    :ivar crashed: what the board raised, if it did.
    """

    def __init__(
        self,
        spec: VirtualBoardSpec,
        kind: VirtualKind,
        *,
        loop: Loop,
        async_thread: AsyncThread,
        cable: Cable,
        watch: TtyWatch | None,
        access: BenchAccess = PRIVATE,
        auto_reset: bool = False,
    ) -> None:
        """Make the board by its factory; it is neither plugged nor powered yet.

        :param spec: what it is to be.
        :param kind: names the factory and the roles of the ports.
        :param loop: the bench's loop.
        :param async_thread: runs what boards do by asyncio; it stays the bench's.
        :param cable: how it hangs on the host.
        :param watch: tells opens and closes of ports.
        :param access: who may open its ports.
        :param auto_reset: DTR and RTS of its first port drive its reset line and its boot pin.
        :raises UsageError: the factory does not exist or refuses the options.
        :raises BenchFault: the factory fails.
        """
        self.spec = spec
        self.plugged = False
        self.powered = False
        self.crashed: str | None = None
        self._roles = kind.roles
        self._loop = loop
        self._async_thread = async_thread
        self._cable = cable
        self._watch = watch
        self._access = access
        circuit = AutoReset(self._hold_in_reset, self._release_reset, loop.call_later)
        self._circuit = circuit if auto_reset else None
        self._held = False
        self._hang = Hang()
        self._ports: dict[str, Port] = {}
        self._shapes: dict[str, Shape] = {}
        self._supply_period = 0
        self._return: Timer | None = None
        self._changing = False
        self._waiting: list[Callable[[], None]] = []
        self._properties: dict[str, str] = {}
        self._board = make_board(kind, self, spec)

    def describe(self) -> dict[str, Any]:
        """Return the board's state as plain data; :class:`harness.virtual.client.BoardState` reads it."""
        self.guard("describe", self._ask_properties)
        return {
            "id": self.spec.id,
            "kind": self.spec.kind,
            "plugged": self.plugged,
            "powered": self.powered,
            "ports": {role: str(port.name.shown) for role, port in self._ports.items()},
            "properties": self._properties,
            "crashed": self.crashed,
            "hung": self._hang.until,
            "usb": self._cable.describe(),
        }

    def _ask_properties(self) -> None:
        self._properties = {str(key): str(value) for key, value in self._board.describe().items()}

    def when_settled(self, action: Callable[[], None]) -> None:
        """Do something as soon as the board is not between two states (its cable being pulled), or now."""
        if self._changing:
            self._waiting.append(action)
        else:
            action()

    def plug(self, placement: Placement = ANYHOW) -> None:
        """Make the ports appear; nothing happens when they exist.

        :param placement: where, and under which names.
        :raises UsageError: it does not fit, or the board is plugged in elsewhere.
        :raises BenchFault: there is no pty left.
        """
        if self.plugged:
            if not self._cable.is_where(placement):
                raise UsageError(f"board {self.spec.id} is plugged in elsewhere: unplug or replug it")
            return
        names = self._cable.reserve(self._roles, placement)
        for role in self._roles:
            circuit = self._circuit if role == self._roles[0] else None
            try:
                self._ports[role] = Port(
                    self._loop,
                    self._watch,
                    name=names[role],
                    hearer=Hearing(self, self._board, role, circuit),
                    shape=self._shapes.get(role, Shape()),
                    mode=self._access.tty,
                )
            except OSError as error:
                for unused in set(self._roles) - set(self._ports):
                    self._cable.give_back(names[unused])
                self._close_ports()
                raise BenchFault(f"no pty for board {self.spec.id}: {error}") from error
        self.plugged = True
        self._cable.ports_exist(self._ports)

    @property
    def awake(self) -> bool:
        """Whether the firmware runs: there is power, nothing pulls the reset line, and it does not hang."""
        return self.powered and not self._held and self._hang.until is None

    def hang(self, until: str) -> None:
        """Let the firmware stand still; see :class:`~harness.virtual.hanging.Hang`.

        :raises ValueError: there is no such end of it.
        """
        was_awake = self.awake
        self._hang.begin(until)
        if was_awake:
            self._stop_firmware()

    def _hold_in_reset(self) -> None:
        if self.awake:
            self._stop_firmware()
        self._held = True

    def _release_reset(self, *, boot_pin_low: bool) -> None:
        self._held = False
        self._hang.reset()
        if not self.awake:
            return
        board = self._board
        if isinstance(board, HasBootPin):
            self.guard("strapped_reset", lambda: board.strapped_reset(boot_pin_low=boot_pin_low))
        else:
            self.guard("power_on", board.power_on)

    def _stop_firmware(self) -> None:
        self.guard("power_off", self._board.power_off)
        self._supply_period += 1
        for port in self._ports.values():
            port.drop_pending()

    def unplug(self, gone: Callable[[], None]) -> None:
        """Make the ports of a settled board vanish; a client has a moment to read what has arrived.

        :param gone: called when they are closed.
        """
        self.plugged = False
        leaving = list(self._ports.values())
        self._ports.clear()
        left = len(leaving)
        if not left:
            gone()
            return
        self._changing = True

        def one_is_gone(port: Port) -> None:
            nonlocal left
            self._cable.give_back(port.name)
            left -= 1
            if left == 0:
                self._changing = False
                gone()
                waiting, self._waiting = self._waiting, []
                for action in waiting:
                    self.when_settled(action)

        for port in leaving:
            port.hide()
        self._cable.ports_vanish()
        for port in leaving:
            port.vanish(partial(one_is_gone, port))

    def come_back(self, back: Callable[[HarnessError | None], None], placement: Placement = ANYHOW) -> None:
        """Vanish and come back under other names. Call it when the board is settled.

        :param back: called when the new ports exist, or with what prevents that.
        :param placement: where, and under which names; those it does not give are other ones than before.
        :raises HarnessError: it is not plugged, or the placement does not fit; it stays where it is.
        """
        if not self.plugged:
            raise BenchFault(f"board {self.spec.id} is not plugged")
        self._cable.check(self._roles, placement)
        old = frozenset(port.name.link for port in self._ports.values())

        def gone() -> None:
            try:
                self.plug(replace(placement, avoid=old))
            except HarnessError as error:
                _log.exception("%s does not come back", self.spec.id)
                back(error)
            else:
                back(None)

        self.unplug(gone)

    def set_power(self, *, on: bool) -> None:
        """Switch the supply; nothing happens when it is so already."""
        self._call_off_return()
        if on == self.powered:
            return
        was_awake, self.powered = self.awake, on
        if not on:
            self._hang.lose_power()
        if self.awake:
            self.guard("power_on", self._board.power_on)
        elif was_awake:
            self._stop_firmware()

    def _call_off_return(self) -> None:
        if self._return is not None:
            self._return.cancel()
            self._return = None

    def reset(self) -> None:
        """Pulse the reset line.

        :raises BenchFault: the board has no power.
        """
        if not self.powered:
            raise BenchFault(f"board {self.spec.id} has no power: its reset line does nothing")
        if self._hang.reset():
            self.guard("power_on", self._board.power_on)
        elif self._hang.until is None:
            self.guard("reset", self._board.reset)

    def clear_faults(self) -> None:
        """End what a test ordered: the board's own faults, those of its lines, a pulled cable, no power.

        Call it when the board is settled.

        :raises BenchFault: there is no pty left to plug it in.
        """
        self.guard("clear_faults", self._board.clear_faults)
        self.unshape(None)
        self.plug()
        self.set_power(on=True)

    def shape(self, role: str, shape: Shape) -> None:
        """Put faults on a line; they stay while the board comes and goes.

        :raises BenchFault: the board has no endpoint of that role.
        """
        if role not in self._roles:
            known = " or ".join(sorted(self._roles))
            raise BenchFault(f"board {self.spec.id} has no endpoint {role!r}; expected {known}")
        self._shapes[role] = shape
        if role in self._ports:
            self._ports[role].shape(shape)

    def unshape(self, role: str | None) -> None:
        """Take the faults off one line, or off all."""
        for each in self._roles if role is None else (role,):
            self.shape(each, Shape())

    def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """Pass a control call of the vendor's own to the board.

        :raises BenchFault: the board refuses the call, or it has crashed.
        """
        if self.crashed is None:
            try:
                return self._board.call(method, params)
            except ValueError as error:
                raise BenchFault(str(error)) from error
            except Exception as error:  # noqa: BLE001 - whatever a board raises is its crash, not the bench's
                self._has_crashed(f"call {method!r}", error)
        raise BenchFault(f"board {self.spec.id} has crashed: {self.crashed}")

    def close(self) -> None:
        """End the board and its ports at once."""
        self._call_off_return()
        self._supply_period += 1
        self.powered = self.plugged = False
        self._close_ports()
        try:
            self._board.close()
        except Exception as error:  # noqa: BLE001 - the bench ends whatever a board does
            self._has_crashed("close", error)

    def _close_ports(self) -> None:
        for port in self._ports.values():
            port.hide()
        self._cable.ports_vanish()
        for port in self._ports.values():
            port.close()
            self._cable.give_back(port.name)
        self._ports.clear()

    def guard(self, doing: str, action: Callable[[], object]) -> None:
        """Run the board's own code; a crashed board runs none any more."""
        if self.crashed is not None:
            return
        try:
            action()
        except Exception as error:  # noqa: BLE001 - whatever a board raises is its crash, not the bench's
            self._has_crashed(doing, error)

    def _has_crashed(self, doing: str, error: Exception) -> None:
        self.crashed = f"{doing}: {type(error).__name__}: {error}"
        _log.error("%s crashed in %s", self.spec.id, doing, exc_info=error)

    def send(self, role: str, data: bytes) -> None:
        """Transmit bytes on an endpoint; dropped when the board is unplugged."""
        if not self._loop.on_loop_thread:
            self._loop.call_soon(lambda: self.send(role, data))
            return
        port = self._ports.get(role)
        if port is not None and self.awake:
            port.send(data)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call on the loop's thread after some seconds; called off when the board loses power."""
        period = self._supply_period

        def run() -> None:
            if period == self._supply_period:
                self.guard("timer", callback)

        return self._loop.call_later(seconds, run)

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Call on the loop's thread as soon as possible."""
        self._loop.call_soon(partial(self.guard, "call_soon", callback))

    def run_blocking(self, work: Callable[[], None]) -> None:
        """Run blocking work on a thread of its own; its exceptions are written to the bench log."""
        start_blocking(work, self.spec.id)

    def run_async(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin a coroutine on the asyncio loop of the bench's boards."""
        return self._async_thread.start(work)

    def cut_power(self, *, comes_back: bool) -> None:
        """Lose the supply at once, what was sent and has not left the board too.

        :param comes_back: it returns as soon as the board is dark; else somebody has to switch it on.
        """
        self.set_power(on=False)
        if comes_back:
            self._return = self._loop.call_later(0, partial(self.set_power, on=True))

    def replug(self) -> None:
        """Vanish from USB and come back under other names; nothing happens when unplugged."""

        def run() -> None:
            if self.plugged:
                self.come_back(lambda _problem: None)

        self._loop.call_soon(lambda: self.when_settled(run))
