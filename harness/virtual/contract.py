"""The contract between the virtual bench and the boards that it hosts.

A vendor names a factory in ``harness_virtual_boards`` as ``module:function``; the bench daemon calls it
with a :class:`BoardHost` and a :class:`VirtualBoardSpec` and gets a :class:`VirtualBoard`.
Every method of a board is called on the daemon's one event-loop thread and must not block; what blocks
(an HTTP exchange of a provisioning agent) goes through :meth:`BoardHost.run_blocking`, and what a library
does by asyncio through :meth:`BoardHost.run_async`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from concurrent.futures import Future

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class UsbPresentation:
    """What a kind of board looks like on USB, in a bench with a USB lab.

    :ivar vendor_id: USB vendor id.
    :ivar product_id: USB product id.
    :ivar manufacturer: the manufacturer string.
    :ivar product: the product string.
    :ivar serial: a template of the serial number string; ``{number}`` is the board's number on the bench.
    :ivar interfaces: number of the USB interface (``bInterfaceNumber``) that carries each role.
    :ivar port_driver: ``cdc_acm``, ``cp210x`` or ``ftdi_sio``: names and sysfs shapes of its ttys.
    """

    vendor_id: int
    product_id: int
    manufacturer: str
    product: str
    serial: str
    interfaces: Mapping[str, int]
    port_driver: str = "cdc_acm"


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualKind:
    """A kind of virtual board, as ``harness_virtual_boards`` gives it.

    :ivar kind: name of the profile whose twin it is.
    :ivar factory: ``module:function`` that makes a :class:`VirtualBoard`.
    :ivar roles: roles of its serial endpoints, in the order of their USB interfaces.
    :ivar usb: what it looks like on USB; ``None``: a USB lab shows nothing of it.
    :ivar only_by_name: whoever asks for a number of boards, and not for this kind, does not get it: it is
        another kind with other firmware, say.
    :ivar service: name of the provisioning service that its boards are for. Whoever asks for a number of
        boards, and uses services, gets none that are for another one; ``None``: they are for any.
    """

    kind: str
    factory: str
    roles: tuple[str, ...] = ("console",)
    usb: UsbPresentation | None = None
    only_by_name: bool = False
    service: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualBoardSpec:
    """What one virtual board is to be.

    :ivar id: its identity on the bench.
    :ivar kind: the kind that was asked for.
    :ivar number: 0-based number on the bench, for serial numbers and the like.
    :ivar options: settings of the kind, for example a receive buffer size.
    """

    id: str
    kind: str
    number: int
    options: Mapping[str, Any] = field(default_factory=dict)


class Timer(Protocol):
    """A call that was scheduled and may be called off."""

    def cancel(self) -> None:
        """Call it off; nothing happens when it ran already."""


class BoardHost(Protocol):
    """What the bench offers a virtual board. Safe to use from any thread."""

    def send(self, role: str, data: bytes) -> None:
        """Transmit bytes on an endpoint; dropped when the board is unplugged."""

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call on the loop thread after some seconds; called off when the board loses power."""

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Call on the loop thread as soon as possible."""

    def run_blocking(self, work: Callable[[], None]) -> None:
        """Run blocking work on a thread of the bench; its exceptions are written to the bench log."""

    def run_async(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin a coroutine on the one asyncio loop that all boards of the bench share; it must not block.

        The coroutines of one caller begin in the order of its calls.
        """

    def cut_power(self, *, comes_back: bool) -> None:
        """Lose the supply at once. On the loop thread only.

        :param comes_back: it returns as soon as the board is dark; else somebody has to switch it on.
        """

    def replug(self) -> None:
        """Vanish from USB and come back under other names, as firmware that re-enumerates does."""


@runtime_checkable
class HearsModemLines(Protocol):
    """A virtual board to which DTR and RTS mean something (on USB only; a pty has no such lines)."""

    def modem_lines(self, role: str, dtr: bool, rts: bool) -> None:  # noqa: FBT001 - two lines, two facts
        """DTR or RTS of an endpoint has changed; called with or without power."""


@runtime_checkable
class HasBootPin(Protocol):
    """A virtual board whose reset looks at a pin that says what to boot."""

    def strapped_reset(self, *, boot_pin_low: bool) -> None:
        """The reset line was released; what the pin was then."""


@runtime_checkable
class HearsClients(Protocol):
    """A virtual board that is told what clients do with its ports."""

    def client_came(self, role: str) -> None:
        """A client has opened an endpoint."""

    def settings_changed(self, role: str) -> None:
        """A client has changed the settings of an endpoint: speed, modes, or a modem line."""


class VirtualBoard(Protocol):
    """A virtual board: firmware, modem and secure storage in one object."""

    def power_on(self) -> None:
        """Boot: called once after the endpoints exist and after every power cycle."""

    def power_off(self) -> None:
        """Lose power at once: all volatile state is gone, persistent storage stays."""

    def reset(self) -> None:
        """The reset line was pulsed."""

    def receive(self, role: str, data: bytes) -> None:
        """Bytes arrived on an endpoint; they come in pieces of any size."""

    def clear_faults(self) -> None:
        """A test is over: end every fault that it ordered by control calls; what the board keeps stays."""

    def describe(self) -> Mapping[str, str]:
        """Facts for the inventory (``Board.properties``); never a secret."""

    def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """Answer a control call of the vendor's own (faults, clock, factory record).

        :raises ValueError: unknown method or unfit parameters; the text goes to the caller.
        """

    def close(self) -> None:
        """The bench ends: stop every thread of the board's own."""
