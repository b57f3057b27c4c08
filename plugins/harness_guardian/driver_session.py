"""Speaking with the agent on a board: what may be asked, what is noted before, and what is put back."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from harness.errors import BoardFault, CommandRefused, HarnessError
from harness.evidence import reported_as
from harness_guardian.driver_console import ConsoleLink
from harness_guardian.driver_link import COMMAND_SECONDS
from harness_guardian.driver_models import read_status
from harness_guardian.driver_safety import BLANK, CARRIED, ChangeGuard, FoundState, changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.inventory.leased_board import LeasedBoard
    from harness_guardian.driver_link import AgentLink, RunningAgent
    from harness_guardian.driver_models import AgentStatus, Reply

#: A board whose agent is reached by SSH says so by this capability.
SSH_CAPABILITY = "agent-over-ssh"

_STATE = "board-state"


class AgentSession:
    """Speaks with the agent on a leased board. Before the first change it notes how the board was found.

    :ivar link: the way to the agent.
    :ivar board_id: the board's id, for messages.
    """

    def __init__(self, board: LeasedBoard, link: AgentLink | None = None) -> None:
        """Speak with a board; nothing is sent yet.

        :param link: another way to the agent than the board's profile names.
        """
        self._board = board
        self.board_id = board.id
        self.link = link or _usual_link(board)
        restricted = not board.description.virtual and not board.settings.allow_destructive
        self._guard = ChangeGuard(board.id, restricted=restricted)
        self._home: str | None = None
        self._found: FoundState | None = None
        self._account: int | None = None
        self._changed = False
        self._carries = False
        self._led = False
        self._running: RunningAgent | None = None

    # -- commands -----------------------------------------------------------------------------------------

    def agent(self, *words: str, timeout: float = COMMAND_SECONDS) -> Reply:
        """Have the agent execute any command.

        :param words: the command and its parameters.
        :param timeout: seconds for all of it.
        :raises AgentRefused: the agent answered with an error; its ``code`` is the number.
        :raises ConsoleTimeout: it did not answer in time.
        :raises UsageError: the board is in somebody's use, and the command would change it.
        """
        self.check_allowed(words)
        reply = self.link.run(words, timeout=timeout)
        if words[0] == "erase" and self._home is not None:
            self.link.run(["service", self._home])
        return reply

    @reported_as("The component is made blank")
    def erase(self) -> None:
        """Make the board as it left its factory, but for where the service is that is in use.

        :raises UsageError: the board is in somebody's use.
        """
        self.agent("erase", "yes")

    def check_allowed(self, words: Sequence[str]) -> None:
        """Note how the board was found before a command that changes it; refuse one that may not be.

        :raises UsageError: the board is in somebody's use, and the command would change it.
        """
        if words[0] == "service":
            self._prepare()
            self._led = True
        elif words[0] in {"forward", "collect"} or CARRIED.intersection(words[1:2]):
            self._prepare()
            self._carries = True
        elif changes(words):
            self._guard.check(words, self._prepare())
            self._changed = True

    def run_in_background(self, words: Sequence[str]) -> RunningAgent:
        """Begin a command that ends later; :meth:`restore` calls it off when it is still under way."""
        self._running = self.link.begin(words)
        return self._running

    def read_status(self) -> AgentStatus:
        """Ask the agent how it is.

        :raises BoardFault: it does not say.
        """
        reply = self.link.run(["status"])
        try:
            return read_status(reply.fields())
        except ValueError as error:
            raise BoardFault(f"{self.board_id}: {error}: {reply.lines!r}") from error

    def register_secret(self, value: str, label: str) -> None:
        """Say that a text must never be written."""
        self._board.register_secret(value, label)

    def lead_to_service(self, url: str) -> None:
        """Tell the agent where the service in use is, now and after every :meth:`restore`."""
        before, self._home = self._home, url
        prepared = self._found is not None
        self._prepare()
        if prepared and url != before:
            self._led = True
            self.link.run(["service", url])

    def _prepare(self) -> FoundState:
        """See how the board is, write down what is to be put back, and only then tell it anything."""
        if self._found is None:
            status = self.read_status()
            found = FoundState(state=status.state, service=status.service or "")
            self._account = self._board.accounts.note(_STATE, self.board_id, **found.details())
            self._found = found
            if self._home is not None and self._home != found.service:
                self._led = True
                self.link.run(["service", self._home])
        return self._found

    # -- afterwards ---------------------------------------------------------------------------------------

    def restore(self) -> None:
        """Make the board blank again if anything was changed on it, and put its service back as found.

        A virtual board stays led to the service in use; one in use that knew of none stays led, too.

        :raises HarnessError: something could not be put back; the rest was tried all the same.
        """
        found, self._found = self._found, None
        if found is None:
            return
        faults: list[HarnessError] = []
        for put_back in (self._stop, self._erase, lambda: self._put_back_service(found)):
            try:
                put_back()
            except HarnessError as fault:
                faults.append(fault)
        if faults:
            self._found = found  # it is still to be put back
            raise faults[0]
        if self._account is not None:
            self._board.accounts.settle(self._account)
            self._account = None

    def recover(self, details: Mapping[str, str]) -> None:
        """Put back what a session left that died with this board in hand.

        A board that was in use before, and that the session was allowed to change, ends blank as well.

        :param details: of its account of the board.
        :raises UsageError: they cannot be read.
        """
        self._found = FoundState.from_details(details)
        self._changed = self._found.state == BLANK or not self._guard.restricted
        self._carries = True
        with suppress(CommandRefused):  # whatever it was about, nobody waits for it any more
            self.link.run(["cancel"])
        self.restore()

    def _stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.abandon()
            with suppress(CommandRefused):  # it has ended
                self.link.run(["cancel"])

    def _erase(self) -> None:
        if self._changed:
            self.link.run(["erase", "yes"])
            self._changed = self._carries = False
        if self._carries:
            for name in sorted(CARRIED):
                with suppress(CommandRefused):  # it is not there
                    self.link.run(["drop", name])
            self._carries = False

    def _put_back_service(self, found: FoundState) -> None:
        wanted = found.service
        if self._board.description.virtual and self._home is not None:
            wanted = self._home
        if wanted and self.read_status().service != wanted:
            self.link.run(["service", wanted])
        # An agent cannot be told of no service; one that was found blank has nothing to lose.
        if not wanted and self._led and found.state == BLANK and self.read_status().service is not None:
            self.link.run(["erase", "yes"])
        self._led = False


def _usual_link(board: LeasedBoard) -> AgentLink:
    if SSH_CAPABILITY not in board.capabilities:
        return ConsoleLink(lambda: board.console, board.id)
    from harness_guardian.driver_ssh import SshLink

    return SshLink(lambda: board.endpoint("ssh"), board.id)
