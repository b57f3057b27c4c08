"""The commands of a Zephyr shell: a tree of names, and what the shell itself says of them.

Source: Zephyr documentation, "Shell", and its messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HELP = frozenset({"-h", "--help"})


class Terminal(Protocol):
    """Where a command prints."""

    def print(self, text: str) -> None:
        """Print a line."""

    def error(self, text: str) -> None:
        """Print a line in the colour of errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellCommand:
    """One command.

    :ivar name: its name.
    :ivar help: what the shell says of it.
    :ivar run: what it does; ``None`` for one that only has subcommands.
    :ivar words: how many words it needs, its own name among them; 0: it does not count them.
    :ivar more: how many more it takes.
    :ivar subcommands: by name.
    """

    name: str
    help: str
    run: Callable[[list[str]], bool | None] | None = None
    words: int = 0
    more: int = 0
    subcommands: Sequence[ShellCommand] = ()

    def subcommand(self, name: str) -> ShellCommand | None:
        """Return a subcommand, ``None`` if there is no such."""
        return next((each for each in self.subcommands if each.name == name), None)


def run(roots: Sequence[ShellCommand], words: list[str], terminal: Terminal) -> bool | None:
    """Find the command that the words name, and run it.

    :param roots: the commands there are.
    :param words: at least one.
    :param terminal: where the shell says what it thinks of them.
    :return: ``True`` if no prompt follows.
    """
    command = next((each for each in roots if each.name == words[0]), None)
    if command is None:
        terminal.error(f"{words[0]}: command not found")
        return None
    found, at = command, 0
    deepest, deepest_at = (command, 0) if command.run is not None else (None, 0)
    for index, word in enumerate(words[1:], 1):
        if word in _HELP:
            _explain(found, terminal)
            return None
        following = found.subcommand(word) if index == at + 1 else None
        if following is None:
            continue
        found, at = following, index
        if following.run is not None:
            deepest, deepest_at = following, index
    if deepest is None or deepest.run is None:
        _explain(found, terminal)
        return None
    given = words[deepest_at:]
    if deepest.words and not deepest.words <= len(given) <= deepest.words + deepest.more:
        terminal.error(f"{deepest.name}: wrong parameter count")
        _explain(deepest, terminal)
        return None
    return deepest.run(given)


def listing(commands: Sequence[ShellCommand]) -> list[str]:
    """Return a line for each command, its help in one column."""
    width = max(len(each.name) for each in commands)
    return [f"  {each.name:<{width}} : {each.help}" for each in commands]


def _explain(command: ShellCommand, terminal: Terminal) -> None:
    terminal.print(f"{command.name} - {command.help}")
    if command.subcommands:
        terminal.print("Subcommands:")
        for line in listing(command.subcommands):
            terminal.print(line)
