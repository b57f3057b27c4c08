"""The auto-reset circuit, by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.virtual.auto_reset import AutoReset

if TYPE_CHECKING:
    from collections.abc import Callable

# DTR and RTS; the capacitor has had its time.
TIME = (None, None)


class Bench:
    """A circuit, what it did, and the time, which stands still."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.due: list[Callable[[], None]] = []
        self.circuit = AutoReset(lambda: self.did.append("hold"), self._release, self._later)

    def _release(self, *, boot_pin_low: bool) -> None:
        self.did.append("loader" if boot_pin_low else "application")

    def _later(self, _seconds: float, callback: Callable[[], None]) -> Bench:
        self.due = [callback]
        return self

    def cancel(self) -> None:
        """Call off what is due, as a timer does."""
        self.due = []

    def pass_time(self) -> None:
        """Call what is due."""
        due, self.due = self.due, []
        for callback in due:
            callback()


@pytest.mark.parametrize(
    ("lines", "did"),
    [
        # A terminal opens and closes the port.
        ([(True, False), (True, True), TIME, (False, False)], []),
        # esptool's classic reset sets one line after the other.
        (
            [(False, True), TIME, (True, True), (True, False), TIME, (False, False)],
            ["hold", "loader"],
        ),
        # Its tight reset sets both at once.
        ([(False, False), (True, True), (False, True), TIME, (True, False), TIME], ["hold", "loader"]),
        # A hard reset: RTS alone.
        ([(False, True), TIME, (False, False), TIME], ["hold", "application"]),
        # Let go and pulled again before it has risen: still one reset.
        ([(False, True), (False, False), (False, True), (False, False), TIME], ["hold", "application"]),
        # The boot pin is let go too early.
        ([(False, True), (True, False), (False, False), TIME], ["hold", "application"]),
    ],
)
def test_sequences(lines: list[tuple[bool | None, bool | None]], did: list[str]) -> None:
    """Each sequence of lines boots what it boots on a real kit."""
    bench = Bench()
    for dtr, rts in lines:
        if dtr is None or rts is None:
            bench.pass_time()
        else:
            bench.circuit.lines_changed(dtr, rts)
    assert bench.did == did
