"""How a driver reaches the agent on a board: one contract, whatever lies between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_guardian.driver_models import Outcome, Reply

#: How long a command may take that asks nobody but the board.
COMMAND_SECONDS = 10.0
#: How long a command may take for which the board asks the service.
SERVICE_SECONDS = 30.0
#: The agent keeps no larger file (guardian fact sheet, section 10.3).
LARGEST_FILE = 64 * 1024


class RunningAgent(Protocol):
    """A run of the agent that is under way."""

    def wait(self, timeout: float) -> Outcome:
        """Wait until it ends.

        :param timeout: seconds.
        :raises ConsoleTimeout: it did not end in time.
        :raises BoardRestarted: the board booted instead.
        :raises BoardLost: the board went away.
        """

    def abandon(self) -> None:
        """Take no more interest in it; the agent may go on."""


class AgentLink(Protocol):
    """What a driver must know of the way to the agent."""

    def run(
        self, words: Sequence[str], *, timeout: float = COMMAND_SECONDS, shown: str | None = None
    ) -> Reply:
        """Have the agent execute a command.

        :param words: the command and its parameters; none has blanks in it that cannot be quoted.
        :param timeout: seconds for all of it.
        :param shown: the command as messages may show it, when it carries what must not be shown.
        :raises AgentRefused: the agent answered with an error.
        :raises ConsoleTimeout: it did not answer in time.
        :raises BoardLost: the board went away.
        """

    def put(self, name: str, content: bytes) -> None:
        """Write a file of the agent; raises as :meth:`run` does."""

    def get(self, name: str) -> bytes:
        """Read a file of the agent; raises as :meth:`run` does."""

    def begin(self, words: Sequence[str]) -> RunningAgent:
        """Begin a command that ends later; raises as :meth:`run` does."""

    def wait_until_back(self) -> None:
        """Wait until the agent listens again on a board that lost its power.

        :raises BoardLost: it did not come back in time.
        """
