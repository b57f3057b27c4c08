"""What a console asks of whoever finds its board again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from harness.console.console import Console


class Seeker(Protocol):
    """Finds a board again whose port went away; :mod:`harness.inventory.seeking` has the one for boards."""

    def seek(self, console: Console, *, patient: bool) -> None:
        """Begin to look for the board of a console, and return at once.

        It always ends with :meth:`~harness.console.Console.resume` or
        :meth:`~harness.console.Console.give_up`.

        :param console: the console whose port went away.
        :param patient: wait until the board comes back; else look only once.
        """
