"""How the device's programs are called: arguments and input in, text and status out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ParamSpec, Protocol

from harness_pelion.virtual.filesystem import FsError, absolute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.virtual.clock import BoardClock
    from harness.virtual.power_points import PowerPoints
    from harness_pelion.virtual.filesystem import Filesystem
    from harness_pelion.virtual.util import ProvisioningUtil

P = ParamSpec("P")
HOME = "/home/root"
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


class Service(Protocol):
    """A service of the device, which systemd looks after."""

    @property
    def active(self) -> bool:
        """Whether it runs."""

    def start(self) -> None:
        """Let it run."""

    def stop(self) -> None:
        """Let it run no more."""


@dataclass(slots=True)
class Machine:
    """What programs see of the device.

    :ivar services: the services by name.
    :ivar points: passed before and after each program.
    """

    filesystem: Filesystem
    util: ProvisioningUtil
    clock: BoardClock
    points: PowerPoints
    services: dict[str, Service]
    host_name: str


@dataclass(slots=True)
class Session:
    """What lasts from command to command of one shell.

    :ivar directory: where it is.
    :ivar status: of the last command.
    :ivar then: what the device does when the shell has ended: ``reboot``, ``poweroff``, or nothing.
    """

    directory: str = HOME
    status: int = 0
    then: str = ""
    values: dict[str, str] = field(
        default_factory=lambda: {"HOME": HOME, "PATH": PATH, "PWD": HOME, "USER": "root"}
    )

    def value(self, name: str) -> str:
        """Return the value of a parameter, an empty text when it has none."""
        return str(self.status) if name == "?" else self.values.get(name, "")


class ProgramFailed(Exception):
    """A program ends at once.

    :ivar status: its exit code.
    :ivar named: the name of the program is put before what it says.
    """

    def __init__(self, complaint: str, status: int = 1, *, named: bool = True) -> None:
        """Say why."""
        super().__init__(complaint)
        self.status = status
        self.named = named


@dataclass(slots=True)
class Call:
    """One call of a program.

    :ivar name: under which it was called.
    :ivar status: its exit code, unless it fails otherwise.
    """

    name: str
    arguments: Sequence[str]
    stdin: bytes
    machine: Machine
    session: Session
    write: Callable[[bytes], None]
    complain_bytes: Callable[[bytes], None]
    status: int = 0

    @property
    def filesystem(self) -> Filesystem:
        """The device's file system."""
        return self.machine.filesystem

    def say(self, line: str) -> None:
        """Write a line to the standard output."""
        self.write(f"{line}\n".encode())

    def complain(self, text: str) -> None:
        """Write what went wrong to the standard error, and fail in the end."""
        self.complain_bytes(f"{self.name}: {text}\n".encode())
        self.status = self.status or 1

    def path(self, name: str) -> str:
        """Return the path that a name means where the shell is."""
        return absolute(name, self.session.directory)

    def options(
        self, known: str, *, with_value: str = "", least: int = 0
    ) -> tuple[dict[str, str], list[str]]:
        """Part the arguments into options and operands; options may stand behind operands.

        :param known: letters of options.
        :param with_value: letters of options that take a value.
        :param least: how many operands there must be.
        :raises ProgramFailed: an option is unknown, or has no value, or there are too few operands.
        """
        options: dict[str, str] = {}
        operands: list[str] = []
        arguments = iter(self.arguments)
        for each in arguments:
            if each == "--":
                operands += arguments
            elif each.startswith("--"):
                raise ProgramFailed(f"unrecognized option '{each}'")
            elif each.startswith("-") and each != "-":
                options |= self._letters(each[1:], arguments, known, with_value)
            else:
                operands.append(each)
        if len(operands) < least:
            raise ProgramFailed("missing operand" if not operands else "too few operands")
        return options, operands

    def _letters(self, letters: str, rest: Iterator[str], known: str, with_value: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for position, letter in enumerate(letters):
            if letter in with_value:
                value = letters[position + 1 :] or next(rest, None)
                if value is None:
                    raise ProgramFailed(f"option requires an argument -- '{letter}'")
                return {**found, letter: value}
            if letter not in known:
                raise ProgramFailed(f"invalid option -- '{letter}'")
            found[letter] = ""
        return found

    def trying(self, complaint: str, action: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> bool:
        """Do something to a file, and complain when it fails; tell whether it was done.

        :param complaint: before the reason.
        """
        try:
            action(*args, **kwargs)
        except FsError as error:
            self.complain(f"{complaint}: {error.reason}")
            return False
        return True
