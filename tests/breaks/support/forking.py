"""Forks the Python processes of breaks' sessions from one that has imported everything already.

Hundreds of sessions are begun, each starts a service and a bench in processes of their own, and most of what
all of these cost is the import of the same modules. So a *fork server* imports them once and waits. Who would
start ``python -m MODULE`` asks it instead, and gets a child of its own: the fork server clones itself with
``CLONE_PARENT``, so that waiting, signals, groups and pipes are those of any other child. A process that came
about like this has a fork server of its own, forked before it did anything.

What a clone cannot have (other variables that the interpreter reads when it starts, other options, another
program) is executed as ever. One thing is not as in an executed process: a clone's command line in the
process list is that of the fork server.
"""

from __future__ import annotations

import inspect
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The number of clone(2) in the architectures' system call tables; 0: none that we know.
CLONE = {"x86_64": 56, "aarch64": 220}.get(platform.machine(), 0)
MESSAGE_BYTES = 1 << 20
MOST_DESCRIPTORS = 64
END_SECONDS = 10.0
IGNORABLE = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What an interpreter is told to run.

    :ivar module: of ``-m``; empty if there is ``code``.
    :ivar code: of ``-c``.
    :ivar arguments: what follows.
    :ivar safe_path: ``-P``: the working directory is not searched for modules.
    :ivar unbuffered: ``-u``.
    """

    module: str = ""
    code: str = ""
    arguments: tuple[str, ...] = ()
    safe_path: bool = False
    unbuffered: bool = False


def read_command(command: Sequence[str]) -> Program | None:
    """Return what a command tells our interpreter to run.

    :return: ``None`` if it is another program, or has options that a clone cannot have.
    """
    if not command or command[0] != sys.executable:
        return None
    options = {"-P": False, "-u": False}
    rest = list(command[1:])
    while rest and rest[0] in options:
        options[rest.pop(0)] = True
    if not rest or rest[0][:2] not in {"-m", "-c"}:
        return None
    kind, value = rest[0][:2], rest.pop(0)[2:]
    if not value:
        if not rest:
            return None
        value = rest.pop(0)
    return Program(
        module=value if kind == "-m" else "",
        code=value if kind == "-c" else "",
        arguments=tuple(rest),
        safe_path=options["-P"],
        unbuffered=options["-u"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """All that a clone is to become; the descriptors come beside it, in the order of ``descriptors``."""

    program: dict[str, Any]
    directory: str
    environment: dict[str, str]
    descriptors: tuple[int, ...]
    new_session: bool
    mask: int
    ignored: tuple[int, ...]
    blocked: tuple[int, ...]


class ForkServer:
    """Our end of a fork server."""

    def __init__(
        self,
        link: socket.socket,
        environment: Mapping[str, str],
        process: subprocess.Popen[bytes] | None = None,
    ) -> None:
        """Speak to a fork server.

        :param link: closing it ends the fork server.
        :param environment: with which its interpreter started.
        :param process: the fork server, if it is to be waited for.
        """
        self._link = link
        self._process = process
        self._started_with = _of_the_interpreter(environment)
        self._lock = threading.Lock()

    @classmethod
    def start(cls, environment: Mapping[str, str], directory: Path) -> ForkServer:
        """Start one by executing it; whoever asks it before it has imported everything waits.

        :param environment: what the interpreter reads of it holds for all that it forks.
        :param directory: in which it works.
        """
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tests.breaks.support.fork_server", str(its.fileno())],
                cwd=directory,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                pass_fds=[its.fileno()],
                start_new_session=True,
            )
        return cls(ours, environment, process)

    def close(self) -> None:
        """End it; what it has forked lives on."""
        self._link.close()
        if self._process is not None:
            self._process.wait(END_SECONDS)

    def suits(self, environment: Mapping[str, str]) -> bool:
        """Return whether an interpreter with this environment would have started as the fork server's did."""
        return _of_the_interpreter(environment) == self._started_with

    def fork(self, birth: Birth, descriptors: Sequence[int]) -> int:
        """Return the process id of a new child of ours.

        :raises OSError: there is none.
        """
        with self._lock:
            socket.send_fds(self._link, [json.dumps(asdict(birth)).encode()], list(descriptors))
            answer = self._link.recv(64)
        if not answer:
            raise ChildProcessError("the fork server has ended")
        number = int(answer)
        if number < 0:
            raise OSError(-number, os.strerror(-number))
        return number


class ForkedProcess(subprocess.Popen):  # type: ignore[type-arg]  # a class at run time, where it has no argument
    """A process that is forked where it can be, and executed as ever where not."""

    server: ForkServer | None = None

    def __init__(self, command: Sequence[str], *, server: ForkServer | None, **options: Any) -> None:
        """Start a process.

        :param server: who forks; ``None``: it is executed.
        :param options: those of :class:`subprocess.Popen`.
        """
        self.server = server
        super().__init__(command, **options)

    def _execute_child(self, *positional: Any) -> None:
        told = inspect.signature(_EXECUTE).bind(self, *positional).arguments
        program = _program(told, self.server)
        if self.server is None or program is None:
            _EXECUTE(self, *positional)
            return
        pipes = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        standard = [
            own if told[pipe] == -1 else told[pipe]
            for own, pipe in enumerate(("p2cread", "c2pwrite", "errwrite"))
        ]
        kept = sorted(told["pass_fds"])
        birth = Birth(
            program=asdict(program),
            directory=str(Path(told["cwd"] or ".").absolute()),
            environment=_variables(told),
            descriptors=(0, 1, 2, *kept),
            new_session=told["start_new_session"],
            mask=_file_mask(),
            ignored=tuple(each for each in IGNORABLE if signal.getsignal(each) is signal.SIG_IGN),
            blocked=tuple(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        )
        self.pid = self.server.fork(birth, [*standard, *kept])
        self._child_created = True
        self._close_pipe_fds(*(told[pipe] for pipe in pipes))  # type: ignore[attr-defined]  # not in the stubs


_RARE = ("process_group", "gid", "gids", "uid", "umask")
_EXECUTE: Any = vars(subprocess.Popen)["_execute_child"]


def _program(told: Mapping[str, Any], server: ForkServer | None) -> Program | None:
    """Return what is to be run, if a clone can be that."""
    command = told["args"]
    if server is None or not CLONE or isinstance(command, str | bytes | os.PathLike):
        return None
    unusual = (
        told["preexec_fn"] is not None
        or told["shell"]
        or not told["close_fds"]
        or told["executable"] not in {None, command[0]}
        or any(told[name] is not None and told[name] != -1 for name in _RARE)
    )
    if unusual or not Path(told["cwd"] or ".").is_dir() or not server.suits(_variables(told)):
        return None
    return read_command([os.fspath(each) for each in command])


def _variables(told: Mapping[str, Any]) -> dict[str, str]:
    return dict(os.environ if told["env"] is None else told["env"])


def _of_the_interpreter(variables: Mapping[str, str]) -> dict[str, str]:
    """Return what an interpreter reads once, when it starts; the search path a clone can change."""
    read = ("PYTHON", "LANG", "LC_", "LD_")
    return {
        name: value for name, value in variables.items() if name.startswith(read) and name != "PYTHONPATH"
    }


def _file_mask() -> int:
    """Return the mask of new files, which can be asked for only by changing it, and threads share it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1], 8) for line in status.splitlines() if line.startswith("Umask:"))
