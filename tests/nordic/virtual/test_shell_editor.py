"""The shell's line editor, as a terminal of 1978 would show it and as the shell understands it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_nordic.virtual.shell import as_printed
from harness_nordic.virtual.shell_editor import PROMPT, LineEditor

_CONTROL = re.compile(rb"\x1b\[(\d*)([A-Za-z])")


@dataclass
class Screen:
    """A VT100, as far as a line editor needs it: it knows nothing of the shell."""

    cells: dict[tuple[int, int], str] = field(default_factory=dict)
    row: int = 0
    column: int = 0
    saved: tuple[int, int] = (0, 0)

    def show(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            control = _CONTROL.match(data, at)
            if control is not None:
                self._obey(control[2].decode(), int(control[1] or 1))
                at = control.end()
                continue
            character = chr(data[at])
            at += 1
            if character == "\r":
                self.column = 0
            elif character == "\n":
                self.row += 1
            else:
                self.cells[self.row, self.column] = character
                self.column += 1

    def _obey(self, function: str, number: int) -> None:
        if function in "AB":
            self.row += number if function == "B" else -number
        elif function in "CD":
            self.column += number if function == "C" else -number
        elif function == "J" and number == 1:
            self.cells = {at: text for at, text in self.cells.items() if at < (self.row, self.column)}
        elif function == "J":
            self.cells = {}
        elif function == "H":
            self.row = self.column = 0
        elif function == "s":
            self.saved = self.row, self.column
        elif function == "u":
            self.row, self.column = self.saved
        else:
            assert function == "m", function

    def line(self, width: int) -> tuple[str, int]:
        """Return what stands from the last prompt on, and where in it the cursor is."""
        starts = [row for row, _column in self.cells if self._text(row, width).startswith(PROMPT)]
        first = max(starts)
        text = "".join(self._text(row, width) for row in range(first, max(self.cells)[0] + 1))
        return text.rstrip("~"), (self.row - first) * width + self.column

    def _text(self, row: int, width: int) -> str:
        return "".join(self.cells.get((row, column), "~") for column in range(width))


class Terminal:
    """An editor with a screen."""

    def __init__(self, capacity: int = 4096, width: int = 80) -> None:
        self.screen = Screen()
        self.lines: list[str] = []
        self.echo = bytearray()
        self.width = width
        self.editor = LineEditor(
            self._write, entered=self._enter, capacity=lambda: capacity, width=lambda: width
        )
        self._write(PROMPT)

    def type(self, keys: bytes) -> bytes:
        start = len(self.echo)
        for byte in keys:
            self.editor.take(byte)
        return bytes(self.echo[start:])

    def shown(self) -> tuple[str, int]:
        """Return the line on the screen without its prompt, and where the cursor stands in it."""
        text, cursor = self.screen.line(self.width)
        return text.removeprefix(PROMPT), cursor - len(PROMPT)

    def _write(self, text: str) -> None:
        self.echo += as_printed(text)
        self.screen.show(as_printed(text))

    def _enter(self, line: str) -> None:
        self.lines.append(line)
        self._write(PROMPT)


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\n\r"])
def test_one_line_end_a_line(end: bytes) -> None:
    """CR, LF and both together end a line once, whatever a terminal sends."""
    terminal = Terminal()

    terminal.type(b"one" + end + b"two" + end)

    assert terminal.lines == ["one", "two"]


def test_each_of_two_equal_line_ends_counts() -> None:
    """An empty line is a line: the prompt comes again."""
    terminal = Terminal()

    assert terminal.type(b"\r\r") == b"\r\nuart:~$ \r\nuart:~$ "
    assert terminal.lines == ["", ""]


def test_echo_of_a_short_line() -> None:
    """What is typed is echoed byte by byte; Enter moves to the next line."""
    terminal = Terminal()

    assert terminal.type(b"at AT\r\n") == b"at AT\r\nuart:~$ "


def test_long_line_is_broken_where_the_terminal_ends() -> None:
    """Prompt and line fill 80 columns, then the shell goes to the next one; the command has no break."""
    terminal = Terminal()

    echo = terminal.type(b"x" * 160 + b"\r")

    assert echo == b"x" * 72 + b"\r\n" + b"x" * 80 + b"\r\n" + b"x" * 8 + b"\r\nuart:~$ "
    assert terminal.lines == ["x" * 160]


def test_line_that_ends_with_the_terminal() -> None:
    """A full line has moved on already: Enter adds no empty one."""
    assert Terminal().type(b"x" * 72 + b"\r") == b"x" * 72 + b"\r\nuart:~$ "


@pytest.mark.parametrize("key", [b"\x08", b"\x7f"])
def test_backspace(key: bytes) -> None:
    """Backspace and DEL take back one character, and none from an empty line."""
    terminal = Terminal()

    assert terminal.type(key + b"aX" + key) == b"aX\x1b[1D\x1b[J"
    terminal.type(b"b\r")

    assert terminal.lines == ["ab"]


def test_control_c_drops_the_line() -> None:
    """Ctrl-C executes nothing and gives a new prompt."""
    terminal = Terminal()

    assert terminal.type(b"rm all\x03") == b"rm all\r\nuart:~$ "
    terminal.type(b"AT\r")

    assert terminal.lines == ["", "AT"]


def test_editing_in_mid_line() -> None:
    """What is inserted pushes the rest on, and the cursor stays behind it."""
    terminal = Terminal()

    assert terminal.type(b"ac\x1b[Db") == b"ac\x1b[1Dbc\x1b[1D"
    assert terminal.shown() == ("abc", 2)
    terminal.type(b"\r")
    assert terminal.lines == ["abc"]


def test_history() -> None:
    """Up and down walk through what was entered, and back to what was begun; doubles are kept once."""
    terminal = Terminal()
    terminal.type(b"one\rtwo\rtwo\rbegun")

    terminal.type(b"\x1b[A")
    assert terminal.shown() == ("two", 3)
    terminal.type(b"\x1b[A")
    assert terminal.shown() == ("one", 3)
    terminal.type(b"\x1b[A")
    assert terminal.shown() == ("one", 3)
    terminal.type(b"\x0e\x0e")
    assert terminal.shown() == ("begun", 5)
    terminal.type(b"\x10!\r")
    assert terminal.lines[-1] == "two!"


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (b"abc\x01X", "Xabc"),
        (b"abc\x01X\x05Y", "XabcY"),
        (b"abc\x02\x02\x0bX", "aX"),
        (b"abc\x15X", "X"),
        (b"one two  \x17X", "one X"),
        (b"one two\x1bbX", "one Xtwo"),
        (b"one two\x01\x1bfX", "oneX two"),
        (b"abc\x1b[HX\x1b[FY", "XabcY"),
        (b"abc\x1b[1~X\x1b[4~Y", "XabcY"),
        (b"abc\x01\x1b[3~", "bc"),
        (b"abc\x01\x04", "bc"),
        (b"abc\x01\x1b[2~XY", "XYc"),
        (b"abc\x01\x1b[LX\x1b[LY", "XYbc"),
        (b"ab\x0cc", "abc"),
        (b"a\x00b\xff\xc3\xa9c\x1dd", "abcd"),
        (b"a\tb", "ab"),
        (b"a\x1bxb\x1b[Zc", "abc"),
    ],
)
def test_keys(keys: bytes, line: str) -> None:
    """Each key does what Zephyr's documentation says of it; what means nothing does nothing."""
    terminal = Terminal()

    terminal.type(keys)
    assert terminal.shown()[0] == line
    terminal.type(b"\r")

    assert terminal.lines[-1] == line


def test_buffer_that_is_full() -> None:
    """What does not fit is neither kept nor echoed; the line still ends."""
    terminal = Terminal(capacity=10)

    assert terminal.type(b"0123456789abc\r") == b"012345678\r\nuart:~$ "
    assert terminal.lines == ["012345678"]


def test_power_cycle_forgets() -> None:
    """Half a line, half a sequence and the history are gone."""
    terminal = Terminal()
    terminal.type(b"old\rhalf\x1b[")

    terminal.editor.forget()
    terminal.type(b"A\x1b[A\r")

    assert terminal.lines == ["old", "A"]


def test_line_is_erased_and_shown_again() -> None:
    """What is printed meanwhile takes the place of the line, which comes back below it."""
    terminal = Terminal()
    terminal.type(b"x" * 100 + b"\x02" * 40)

    terminal.editor.erase()
    terminal._write("a line of the log\n" + PROMPT)
    terminal.editor.show()

    assert terminal.shown() == ("x" * 100, 60)


EDITING = {
    b"\x08": "back",
    b"\x7f": "back",
    b"\x04": "delete",
    b"\x1b[D": "left",
    b"\x1b[C": "right",
    b"\x01": "home",
    b"\x05": "end",
    b"\x0b": "cut",
    b"\x15": "clear",
}


def edited(keys: list[bytes]) -> tuple[str, int]:
    """Say what a line is after these keys; written for this test, on another plan than the editor."""
    before: list[str] = []
    behind: list[str] = []
    for key in keys:
        name = EDITING.get(key, "")
        if not name:
            before.append(key.decode())
        elif name == "back" and before:
            before.pop()
        elif name == "delete" and behind:
            behind.pop()
        elif name == "left" and before:
            behind.append(before.pop())
        elif name == "right" and behind:
            before.append(behind.pop())
        elif name == "home":
            behind += reversed(before)
            before = []
        elif name == "end":
            before += reversed(behind)
            behind = []
        elif name == "cut":
            behind = []
        elif name == "clear":
            before, behind = [], []
    return "".join(before + behind[::-1]), len(before)


@given(
    st.lists(st.one_of(st.sampled_from(list(EDITING)), st.sampled_from([b"a", b"b", b"c"]))),
    st.integers(min_value=9, max_value=14),
)
def test_screen_and_line_agree(keys: list[bytes], width: int) -> None:
    """Whatever is typed, a terminal shows the very line that will be executed, and the cursor in it."""
    terminal = Terminal(width=width)
    text, cursor = edited(keys)

    terminal.type(b"".join(keys))

    assert terminal.shown() == (text, cursor)
    assert terminal.editor.text == text
    terminal.type(b"\r")
    assert terminal.lines[-1] == text
