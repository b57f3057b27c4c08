"""Break: the modem answers OK to a write that reaches its flash only with the next command."""

from __future__ import annotations

from harness_nordic.virtual.board import Nrf91Board
from harness_nordic.virtual.credentials import CredentialStore, Entry
from harness_nordic.virtual.modem import Modem
from harness_nordic.virtual.power import AFTER_FLASH, BEFORE_FLASH
from tests.breaks.support.patching import existing, replaces

TITLE = "a write is answered before it is kept"
EXPECTED = ("test_board_answers.py::test_power_cut_in_a_write",)
ABOUT = r"held"

_waiting: list[tuple[CredentialStore, tuple[int, int], Entry]] = []
commit = existing(CredentialStore, "_commit")
execute_before = existing(Modem, "execute")
off_before = existing(Nrf91Board, "power_off")


@replaces(CredentialStore, "_commit")
def _commit(self: CredentialStore, slot: tuple[int, int], entry: Entry | None) -> None:
    """Pass the points of a write, and write later."""
    if entry is None:
        commit(self, slot, entry)
        return
    detail = f"credential {slot[0]},{slot[1]} written"
    self._points.pass_by(BEFORE_FLASH, detail)
    _waiting.append((self, slot, entry))
    self._points.pass_by(AFTER_FLASH, detail)


@replaces(Modem, "execute")
def execute(self: Modem, line: str) -> str | None:
    """Write what waits, then do as ever."""
    for store, slot, entry in [each for each in _waiting if each[0] is self.store]:
        store._entries[slot] = entry
    _waiting[:] = [each for each in _waiting if each[0] is not self.store]
    reply: str | None = execute_before(self, line)
    return reply


@replaces(Nrf91Board, "power_off")
def power_off(self: Nrf91Board) -> None:
    """Lose what waits."""
    _waiting[:] = [each for each in _waiting if each[0] is not self.store]
    off_before(self)
