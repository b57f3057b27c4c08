"""The one exception tree of the harness.

::

    HarnessError
    ├── UsageError          you can fix it: a wrong option, file, key or value
    ├── RigFault            the lab failed: port, power, lease, board lost
    │   ├── BoardLost       an endpoint of a board went away while in use
    │   ├── LeaseBusy       somebody else holds the board and the deadline passed
    │   └── BenchFault      the virtual bench did not answer or refused
    ├── BoardFault          the product did wrong
    │   ├── ConsoleTimeout  the board did not say what was waited for
    │   ├── ForbiddenOutput the board said what it must never say
    │   └── CommandRefused  the board answered a command with an error
    ├── BackendFault        the provisioning service did wrong
    │   ├── RequestRefused  the service answered with a status that the call does not accept
    │   └── BackendUnreachable  no answer within the deadline
    └── TestDeadline        a test did not end in time: whatever it waited for had longer than the test

Who is to blame for a failed test follows from the class; the table is :mod:`harness.verdicts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable

_SERVERS_FAULT = 500  # RFC 9110, section 15.6: this status and those above


class HarnessError(Exception):
    """Base of every error that the harness raises on purpose.

    :cvar clean: redaction of texts; a session puts its own here (:mod:`harness.redaction.active`).
    """

    clean: ClassVar[Callable[[str], str]] = staticmethod(str)

    def __init__(self, *arguments: object) -> None:
        """Keep the text without the secrets that the session knows."""
        clean = HarnessError.clean
        super().__init__(*(clean(each) if isinstance(each, str) else each for each in arguments))


class UsageError(HarnessError):
    """Wrong input that the user can mend; shown as one message without a traceback.

    :param message: what is wrong, and what was expected.
    :param file: the file at fault, when there is one.
    :param key: the key or option at fault.
    :param value: the offending value (never a secret).
    :param expected: what would have been accepted.
    """

    def __init__(
        self,
        message: str,
        *,
        file: object = None,
        key: str | None = None,
        value: object = None,
        expected: str | None = None,
    ) -> None:
        """Compose the one message out of the parts that are known."""
        self.file = file
        self.key = key
        self.value = value
        self.expected = expected
        where = ": ".join(str(part) for part in (file, key) if part is not None)
        text = f"{where}: {message}" if where else message
        if value is not None:
            text += f" (got {value!r})"
        if expected is not None:
            text += f"; expected {expected}"
        super().__init__(text)


class RigFault(HarnessError):
    """The lab is at fault: a port, a power switch, a lease or a board that went away."""


class BoardLost(RigFault):
    """An endpoint of a board vanished while it was being opened, read, written or flushed."""


class LeaseBusy(RigFault):
    """A board is leased by somebody else and was not released within the deadline."""


class BenchFault(RigFault):
    """The virtual bench refused a request or did not answer within its deadline."""


class BoardFault(HarnessError):
    """The product is at fault."""


class ConsoleTimeout(BoardFault):
    """The board did not say what was waited for.

    The text names the patterns, the seconds waited and the tail of the console.
    """


class ForbiddenOutput(BoardFault):
    """The board said something that a test had armed as forbidden."""


class CommandRefused(BoardFault):
    """The board answered a command with an error.

    :param command: the command as sent, redacted by whoever prints it.
    :param reply: the final line of the reply, for example ``+CME ERROR: 518`` or ``ERROR``.
    :param code: the number of the error where the dialect has one.
    """

    def __init__(self, command: str, reply: str, code: int | None = None) -> None:
        """Keep the parts for the suite and compose the text for a person."""
        self.command = command
        self.reply = reply
        self.code = code
        super().__init__(f"{command} was refused: {reply}")


class BackendFault(HarnessError):
    """The provisioning service is at fault."""


class RequestRefused(BackendFault):
    """The service answered with a status that the call does not accept.

    :param operation: the service's own name of the call, for example ``ClaimDeviceOwnership``.
    :param status: HTTP status.
    :param problem: what the service says of it (its ``message``), or the start of the body.
    """

    def __init__(self, operation: str, status: int, problem: str) -> None:
        """Keep the parts for the suite and compose the text for a person."""
        self.operation = operation
        self.status = status
        self.problem = problem
        super().__init__(f"{operation} was answered {status}: {problem}")

    @property
    def in_doubt(self) -> bool:
        """Whether it may have been done all the same: an error of the service's own proves nothing."""
        return self.status >= _SERVERS_FAULT


class BackendUnreachable(BackendFault):
    """The service did not answer within the deadline, or refused the connection."""


class TestDeadline(HarnessError):
    """A test did not end within its deadline."""

    __test__ = False
