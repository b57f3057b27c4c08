"""A virtual nRF91 without a bench: what it sends is kept, its timers wait, its agent never runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from harness.virtual.contract import VirtualBoardSpec
from harness_nordic.virtual.board import Nrf91Board

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

T = TypeVar("T")


class _Timer:
    def cancel(self) -> None:
        """It never runs anyway."""


class QuietHost:
    """A host that does nothing by itself.

    :ivar sent: what the console sent.
    """

    def __init__(self) -> None:
        """Have heard nothing."""
        self.sent = bytearray()

    def send(self, role: str, data: bytes) -> None:
        """Keep what the console says."""
        if role == "console":
            self.sent += data

    def call_later(self, _seconds: float, _callback: Callable[[], None]) -> _Timer:
        """Let it wait."""
        return _Timer()

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Do it."""
        callback()

    def run_blocking(self, _work: Callable[[], None]) -> None:
        """Leave it."""

    def run_async(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Nobody asks for it."""
        raise NotImplementedError

    def cut_power(self, *, comes_back: bool) -> None:
        """Nobody asks for it."""
        raise NotImplementedError

    def replug(self) -> None:
        """Nobody asks for it."""
        raise NotImplementedError


class QuietBoard:
    """A board that is switched on, driven from one thread."""

    def __init__(self, kind: str = "nrf9151dk-virtual", **options: Any) -> None:
        """Make one."""
        self.host = QuietHost()
        self.board = Nrf91Board(self.host, VirtualBoardSpec(id="quiet", kind=kind, number=0, options=options))
        self.board.power_on()

    def type(self, data: bytes) -> bytes:
        """Type bytes and return what comes of them."""
        start = len(self.host.sent)
        self.board.receive("console", data)
        said = bytes(self.host.sent[start:])
        self.host.sent.clear()
        return said

    def state(self) -> tuple[object, ...]:
        """Return everything that a command can change."""
        modem = self.board.modem
        return (
            [(entry.tag, entry.type, entry.digest, entry.generated) for entry in self.board.store.entries()],
            self.board.settings.items(),
            modem.radio.mode,
            modem.radio.describe_registration(),
            modem.error_numbers,
            dict(vars(modem.clock)),
            self.board.agent._session,
        )
