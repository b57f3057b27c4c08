"""The lamp's dialect: a line in, lines out, the last of them ``.`` or ``!``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import CommandRefused

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

SECONDS = 5.0


class LampDialect:
    """How commands are sent and replies end."""

    def encode(self, command: str) -> bytes:
        """Commands end with a line feed."""
        return f"{command}\n".encode()

    def is_final(self, line: str) -> bool:
        """A dot is success, an exclamation mark is refusal."""
        return line in {".", "!"}

    def is_unsolicited(self, line: str) -> bool:
        """The lamp says by itself when it boots."""
        return line.startswith("boot")

    def is_echo(self, line: str, command: str) -> bool:
        """The lamp does not echo."""
        return False


class LampDriver:
    """Speaks to a lamp."""

    def __init__(self, board: LeasedBoard) -> None:
        """Drive a board in hand."""
        self._board = board
        self._dialect = LampDialect()

    def ask(self, command: str) -> str:
        """Send a command and return what the lamp says.

        :raises CommandRefused: the lamp does not want to.
        """
        reply = self._board.console.command(command, self._dialect, timeout=SECONDS)
        if reply.final == "!":
            raise CommandRefused(command, reply.final)
        return "\n".join(reply.lines)

    def serial_number(self) -> str:
        """Who the lamp is."""
        return self.ask("who")

    def wear(self, badge: str) -> None:
        """Store a badge in the lamp."""
        self.ask(f"wear {badge}")

    def badge(self) -> str:
        """What badge the lamp really holds."""
        return self.ask("badge")

    def health(self) -> bool:
        """Whether the lamp answers."""
        return bool(self.serial_number())

    def restore(self) -> None:
        """Take the badge off after a test."""
        self.ask("wear")
