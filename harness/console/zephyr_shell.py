"""What a Zephyr shell says, as a terminal shows it: colours taken out, what was erased gone, no prompt.

The shell paints its prompt, and erases and repaints the line that is typed when something is logged
meanwhile; who reads it by lines wants what stands there in the end. Source: Zephyr documentation, "Shell",
and its messages.
"""

from __future__ import annotations

import re

# One a backend: its Kconfig options SHELL_PROMPT_*.
_PROMPTS = re.compile(r"(?:[A-Za-z0-9_.-]*:~\$ ?)+")

# ECMA-48: control sequences, and escape sequences of two characters.
_SEQUENCE = re.compile(r"\x1b(?:\[([0-9;?]*)[ -/]*([@-~])|[0-Z\\^-~])")
_MOVING = frozenset("\x1b\b\r")
# How a line is said to be no command, or no whole one; nothing was executed then.
_COMPLAINT = re.compile(
    r"\S+: (?:command not found|wrong parameter count)|not terminated: ['\"]"
    r"|Too many arguments in the command\.?"
)
_COMPLAINTS = (": command not found", ": wrong parameter count", "not terminated: ", "Too many arguments")


def shown_text(line: str) -> str:
    """Return what a terminal shows of a line in the end, without the prompts that it begins with.

    :param line: without its line end; a sequence that is cut off is shown as it is.
    """
    if not _MOVING.isdisjoint(line):
        line = _painted(line)
    prompt = _PROMPTS.match(line)
    return line if prompt is None else line[prompt.end() :]


def is_prompt(line: str) -> bool:
    """Tell whether a prompt, and nothing else, stands on a line."""
    painted = _painted(line)
    return bool(painted) and _PROMPTS.fullmatch(painted) is not None


def is_complaint(line: str) -> bool:
    """Tell whether the shell says that it could make nothing of what was typed, and executed nothing."""
    if not any(words in line for words in _COMPLAINTS):
        return False
    return _COMPLAINT.fullmatch(shown_text(line).strip()) is not None


def is_refusal(line: str) -> bool:
    """Tell whether the shell complains, or explains a command that has no such part."""
    return is_complaint(line) or line.startswith("Subcommands:")


def _painted(line: str) -> str:
    """Return the line as it stands when all was written."""
    cells: list[str] = []
    column = at = 0
    while at < len(line):
        sequence = _SEQUENCE.match(line, at) if line[at] == "\x1b" else None
        if sequence is not None:
            column = _obey(cells, column, sequence[1] or "", sequence[2] or "")
            at = sequence.end()
            continue
        if line[at] == "\b":
            column = max(0, column - 1)
        elif line[at] == "\r":
            column = 0
        else:
            cells[column : column + 1] = line[at]
            column += 1
        at += 1
    return "".join(cells)


def _obey(cells: list[str], column: int, parameters: str, function: str) -> int:
    """Do what a control sequence says to the line, and return the column afterwards.

    Functions that concern other lines, colours or the terminal itself change nothing here.
    """
    number = int(parameters[:6]) if parameters.isdecimal() else 0
    if function == "D":  # back
        return max(0, column - max(1, number))
    if function == "C":  # forth, to where something stands at the furthest
        return min(len(cells), column + max(1, number))
    if function in "JK" and function:  # erase the display or the line
        if number in {0, 3}:
            del cells[column:]
        else:
            cells[:column] = " " * column
            if number == 2:  # noqa: PLR2004 - ECMA-48: all of it
                del cells[column:]
    return column
