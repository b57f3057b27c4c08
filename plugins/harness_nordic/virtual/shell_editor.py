"""The line editor of a Zephyr shell: what is typed, what is echoed, and which key does what.

Source: Zephyr documentation, "Shell": "Built-in commands", "Meta keys", "VT100"; nrfcloud fact sheet,
section 6.2. Tab completes nothing here. [design]
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: The prompt, without its colours.
PROMPT = "uart:~$ "
_HISTORY = 10  # lines that are remembered [design]

_CR, _LF, _ESC, _DELETE = 0x0D, 0x0A, 0x1B, 0x7F
_FIRST_PRINTABLE, _LAST_PRINTABLE = 0x20, 0x7E
_CLEAR_TO_END, _CLEAR_SCREEN = "\x1b[J", "\x1b[H\x1b[2J"


def _control(letter: str) -> int:
    return ord(letter) - ord("A") + 1


class LineEditor:
    """Edits one line after the other, and echoes as it does so.

    :ivar text: the line that is being typed.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        entered: Callable[[str], None],
        capacity: Callable[[], int],
        width: Callable[[], int],
    ) -> None:
        """Hold an empty line, of which nothing is shown yet.

        :param write: shows text.
        :param entered: takes a line whose end was typed; shows a prompt again when it is done.
        :param capacity: tells the size of the command buffer, with the NUL at its end.
        :param width: tells how many columns the shell takes the terminal to have.
        """
        self.text = ""
        self._write = write
        self._entered = entered
        self._capacity = capacity
        self._width = width
        self._at = 0
        self._last_end = 0
        self._overwrites = False
        self._history: deque[str] = deque(maxlen=_HISTORY)
        self._shown_history = 0
        self._begun = ""
        self._state: Callable[[int], None] = self._take_key
        self._keys: dict[int, Callable[[], None]] = {
            0x08: self._backspace,
            _DELETE: self._backspace,
            _ESC: self._begin_sequence,
            _control("A"): self._home,
            _control("B"): self._left,
            _control("C"): self._cancel,
            _control("D"): self._delete,
            _control("E"): self.to_end,
            _control("F"): self._right,
            _control("K"): self._cut_behind,
            _control("L"): self._clear_screen,
            _control("N"): self._newer,
            _control("P"): self._older,
            _control("U"): self._cut_line,
            _control("W"): self._cut_word,
        }
        self._sequences: dict[str, Callable[[], None]] = {
            "A": self._older,
            "B": self._newer,
            "C": self._right,
            "D": self._left,
            "F": self.to_end,
            "H": self._home,
            "L": self._toggle_overwriting,
            "1": self._home,
            "2": self._toggle_overwriting,
            "3": self._delete,
            "4": self.to_end,
        }

    def take(self, byte: int) -> None:
        """Take a byte that was typed; what is no ASCII does not count."""
        if byte <= _DELETE:
            self._state(byte)

    def forget(self) -> None:
        """Lose power: the line and what was typed before are gone."""
        self._clear()
        self._history.clear()
        self._leave_history()
        self._state = self._take_key
        self._last_end = 0
        self._overwrites = False

    def show(self) -> None:
        """Show the line behind a prompt, its cursor where it was."""
        first = self._width() - len(PROMPT)
        rest = self.text
        while len(rest) > first:
            self._write(rest[:first] + "\n")
            rest, first = rest[first:], self._width()
        self._write(rest)
        if self.text and self._column(len(self.text)) == 0:
            self._write("\n")
        self._move_cursor(len(self.text), self._at)

    def erase(self) -> None:
        """Take prompt and line off the screen, so that something else can be written there."""
        column, row = self._column(self._at), self._row(self._at)
        self._write((f"\x1b[{column}D" if column else "") + (f"\x1b[{row}A" if row else "") + _CLEAR_TO_END)

    def to_end(self) -> None:
        """Put the cursor behind the last character."""
        self._go(len(self.text))

    # -- keys ---------------------------------------------------------------------------------------------

    def _take_key(self, byte: int) -> None:
        if byte in {_CR, _LF}:
            # Of CR LF the second is no end of a line of its own.
            if self._last_end in {0, byte}:
                self._last_end = byte
                self._enter()
            return
        self._last_end = 0
        if _FIRST_PRINTABLE <= byte <= _LAST_PRINTABLE:
            self._leave_history()
            self._insert(chr(byte))
        elif byte in self._keys:
            self._keys[byte]()

    def _begin_sequence(self) -> None:
        self._state = self._take_second

    def _take_second(self, byte: int) -> None:
        if byte == ord("["):
            self._state = self._take_third
            return
        self._state = self._take_key
        if byte == ord("b"):
            self._go(self._word_before())
        elif byte == ord("f"):
            self._go(self._word_behind())

    def _take_third(self, byte: int) -> None:
        self._state = self._take_tilde if chr(byte) in "1234" else self._take_key
        action = self._sequences.get(chr(byte))
        if action is not None:
            action()

    def _take_tilde(self, _byte: int) -> None:
        self._state = self._take_key

    def _enter(self) -> None:
        self.to_end()
        line = self.text.strip(" ")
        if not self.text or self._column(len(self.text)):
            self._write("\n")
        self._clear()
        self._leave_history()
        if line and (not self._history or self._history[-1] != line):
            self._history.append(line)
        self._entered(line)

    def _cancel(self) -> None:
        self.to_end()
        if self._column(len(self.text)):
            self._write("\n")
        self._clear()
        self._leave_history()
        self._entered("")

    def _insert(self, character: str) -> None:
        if self._overwrites and self._at < len(self.text):
            self.text = self.text[: self._at] + character + self.text[self._at + 1 :]
            self._at += 1
            self._write(character + ("" if self._column(self._at) else "\n"))
        elif len(self.text) + 1 < self._capacity():
            self.text = self.text[: self._at] + character + self.text[self._at :]
            self._show_from(self._at, self._at + 1)

    def _backspace(self) -> None:
        self._leave_history()
        if self._at:
            self._go(self._at - 1)
            self._delete()

    def _delete(self) -> None:
        self._leave_history()
        if self._at < len(self.text):
            self.text = self.text[: self._at] + self.text[self._at + 1 :]
            self._write(_CLEAR_TO_END)
            if self._at < len(self.text):
                self._show_from(self._at, self._at)

    def _cut_behind(self) -> None:
        self.text = self.text[: self._at]
        self._write(_CLEAR_TO_END)

    def _cut_line(self) -> None:
        self._home()
        self._clear()
        self._leave_history()
        self._write(_CLEAR_TO_END)

    def _cut_word(self) -> None:
        kept = self.text[: self._at].rstrip(" ")
        start = kept.rfind(" ") + 1
        rest = self.text[self._at :]
        self._leave_history()
        if start != self._at:
            self._go(start)
            self.text = self.text[:start] + rest
            self._write("\x1b[s" + rest + _CLEAR_TO_END + "\x1b[u")

    def _clear_screen(self) -> None:
        self._write(_CLEAR_SCREEN)
        text, at = self.text, self._at
        self._entered("")
        self.text, self._at = text, at
        self.show()

    def _toggle_overwriting(self) -> None:
        self._overwrites = not self._overwrites

    def _home(self) -> None:
        self._go(0)

    def _left(self) -> None:
        self._go(max(0, self._at - 1))

    def _right(self) -> None:
        self._go(min(len(self.text), self._at + 1))

    def _older(self) -> None:
        if self._shown_history < len(self._history):
            if self._shown_history == 0:
                self._begun = self.text
            self._replace_by_history(self._shown_history + 1)

    def _newer(self) -> None:
        if self._shown_history:
            self._replace_by_history(self._shown_history - 1)

    def _replace_by_history(self, number: int) -> None:
        self._home()
        self._write(_CLEAR_TO_END)
        self._shown_history = number
        self.text = self._history[-number] if number else self._begun
        self._at = len(self.text)
        self.show()

    def _leave_history(self) -> None:
        self._shown_history = 0
        self._begun = ""

    # -- the line and the cursor ---------------------------------------------------------------------------

    def _clear(self) -> None:
        self.text = ""
        self._at = 0

    def _word_before(self) -> int:
        at = self._at
        while at and not self.text[at - 1].isalnum():
            at -= 1
        while at and self.text[at - 1].isalnum():
            at -= 1
        return at

    def _word_behind(self) -> int:
        at = self._at
        while at < len(self.text) and not self.text[at].isalnum():
            at += 1
        while at < len(self.text) and self.text[at].isalnum():
            at += 1
        return at

    def _show_from(self, start: int, cursor: int) -> None:
        """Write the line from a place on, breaking it where the terminal does, and put the cursor."""
        for place in range(start, len(self.text)):
            self._write(self.text[place] + ("" if self._column(place + 1) else "\n"))
        self._move_cursor(len(self.text), cursor)
        self._at = cursor

    def _go(self, to: int) -> None:
        self._move_cursor(self._at, to)
        self._at = to

    def _move_cursor(self, start: int, to: int) -> None:
        rows, columns = self._row(to) - self._row(start), self._column(to) - self._column(start)
        if rows:
            self._write(f"\x1b[{abs(rows)}{'B' if rows > 0 else 'A'}")
        if columns:
            self._write(f"\x1b[{abs(columns)}{'C' if columns > 0 else 'D'}")

    def _column(self, place: int) -> int:
        return (len(PROMPT) + place) % self._width()

    def _row(self, place: int) -> int:
        return (len(PROMPT) + place) // self._width()
