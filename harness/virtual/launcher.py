"""Starts a bench in a process of its own and ends it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from harness.errors import BenchFault, UsageError
from harness.virtual import wire
from harness.virtual.bench_directory import sweep_abandoned
from harness.virtual.client import BenchClient
from harness.virtual.usb.environment import outside_labs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import IO

    from harness.virtual.contract import VirtualKind

START_SECONDS = 30.0
CLOSE_SECONDS = 5.0

_LOG_TAIL_BYTES = 2000


class RunningBench:
    """A bench that we started. :meth:`close` ends it; so does the end of this process.

    :ivar socket: its control socket.
    :ivar directory: where its links and its log are.
    :ivar usb_environment: the variables that show a process its USB lab; empty without one.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        socket: Path,
        directory: Path,
        hold: _Hold,
        usb_environment: Mapping[str, str],
    ) -> None:
        """Own a started daemon.

        :param process: the daemon.
        :param socket: its control socket.
        :param directory: its directory.
        :param hold: our end of its lifeline.
        :param usb_environment: the variables of its USB lab.
        """
        self.usb_environment = dict(usb_environment)
        self.socket = socket
        self.directory = directory
        self._process = process
        self._hold = hold

    @property
    def pid(self) -> int:
        """Process id of the daemon."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code of the daemon; ``None`` while it runs."""
        return self._process.poll()

    @property
    def log(self) -> Path:
        """The bench's log."""
        return self.directory / wire.LOG_NAME

    def __enter__(self) -> Self:
        """Use the bench for a while."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """End the bench."""
        self.close()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the daemon has ended.

        :param seconds: give up after this; ``None``: never.
        :return: whether it has ended.
        """
        return _has_ended(self._process, seconds)

    def close(self) -> None:
        """End the bench; returns when its process, links and socket are gone."""
        _end(self._process, self.directory, told=self._hold.let_go())


def start_bench(
    directory: Path,
    boards: Sequence[tuple[str, str | None, Mapping[str, Any]]] = (),
    *,
    lifeline: int | Path | None = None,
    extra_kinds: Iterable[VirtualKind] = (),
    shared: bool = False,
    usb: bool = False,
    environment: Mapping[str, str] | None = None,
    deadline: float = START_SECONDS,
) -> RunningBench:
    """Start a bench and add boards.

    :param directory: for links, socket and log; made if need be, and then removed at the end.
    :param boards: kind, identity (``None``: the bench names it) and options of each.
    :param lifeline: what the daemon watches: the read end of a pipe, or a FIFO, whose other end somebody
        holds; ``None``: a pipe of our own, held by this process until the bench is closed.
    :param extra_kinds: kinds that no plugin gives; their modules are looked for where ours are.
    :param shared: whether every user of the host may use and control the boards; else nobody but this user.
    :param usb: whether boards that have a USB presentation are plugged into a virtual USB lab, which
        processes with :attr:`RunningBench.usb_environment` see.
    :param environment: of the daemon; ``None``: that of this process.
    :param deadline: seconds until the bench has to be ready.
    :raises UsageError: no such kind, a factory that does not exist, options that do not fit, a directory
        that cannot be used.
    :raises BenchFault: the daemon died or was not ready in time; the text has the end of its log.
    """
    directory = directory.absolute()
    hold = _Hold()
    with ExitStack() as stack:
        # What the daemon writes before it has a log, and what the interpreter says when it dies.
        errors = stack.enter_context(tempfile.TemporaryFile())
        ready, tell_ready = os.pipe()
        stack.callback(os.close, ready)
        inherited = [tell_ready]
        try:
            if lifeline is None:
                lifeline = hold.open()
                stack.callback(os.close, lifeline)
            if isinstance(lifeline, int):
                inherited.append(lifeline)
            words = [
                "--lifeline",
                str(lifeline),
                *(["--shared"] if shared else []),
                *(["--usb"] if usb else []),
            ]
            known = os.environ if environment is None else environment
            process = _spawn(directory, words, extra_kinds, tell_ready, inherited, errors, known)
        except BaseException:
            hold.let_go()
            raise
        finally:
            os.close(tell_ready)
        message: dict[str, Any] = {}
        try:
            message = _read_ready(ready, process, errors, deadline)
            _raise_refusal(message)
            bench = RunningBench(process, Path(message["socket"]), directory, hold, message["usb"])
            with BenchClient(bench.socket, deadline=deadline) as client:
                for kind, board_id, options in boards:
                    client.add(kind, id=board_id, options=options)
        except BaseException:
            # Before it is ready the daemon heeds nothing but signals, unless it has given up by itself.
            let_go = hold.let_go()
            _end(process, directory, told="error" in message or (let_go and bool(message)))
            raise
        return bench


class _Hold:
    """Our end of a daemon's lifeline, if it is ours."""

    def __init__(self) -> None:
        self._ours = False
        self._fd: int | None = None

    def open(self) -> int:
        """Make a lifeline; return the end that the daemon watches."""
        watched, self._fd = os.pipe()
        self._ours = True
        return watched

    def let_go(self) -> bool:
        """Let go; return whether that tells the daemon to end."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
        return self._ours


def _spawn(
    directory: Path,
    words: Sequence[str],
    extra_kinds: Iterable[VirtualKind],
    tell_ready: int,
    inherited: Sequence[int],
    errors: IO[bytes],
    environment: Mapping[str, str],
) -> subprocess.Popen[bytes]:
    command = [
        *(sys.executable, "-P", "-m", "harness.virtual.daemon"),
        *("--directory", str(directory)),
        *words,
        *("--ready", str(tell_ready)),
        *("--kinds", json.dumps([asdict(kind) for kind in extra_kinds])),
    ]
    # What is importable here is importable there: plugins and factories may live in a user's own modules.
    search_path = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=errors,
        stderr=errors,
        pass_fds=inherited,
        env={**outside_labs(environment), "PYTHONPATH": search_path},
        # Ctrl-C at a terminal is for the session, which still needs its boards to finish.
        start_new_session=True,
    )


def _read_ready(
    ready: int, process: subprocess.Popen[bytes], errors: IO[bytes], seconds: float
) -> dict[str, Any]:
    """Wait for the daemon's one line.

    :raises BenchFault: it says nothing, or too late.
    """
    poller = select.poll()
    poller.register(ready, select.POLLIN)
    deadline = time.monotonic() + seconds
    line = b""
    while not line.endswith(b"\n"):
        if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise BenchFault(f"the virtual bench was not ready within {seconds:g} s{_tail(errors)}")
        data = os.read(ready, 65536)
        if not data:
            _has_ended(process, CLOSE_SECONDS)
            raise BenchFault(
                f"the virtual bench died while it started (exit code {process.returncode}){_tail(errors)}"
            )
        line += data
    message: dict[str, Any] = json.loads(line)
    return message


def _raise_refusal(message: dict[str, Any]) -> None:
    if "error" in message:
        raise UsageError(message["error"]) if message["usage"] else BenchFault(message["error"])


def _tail(errors: IO[bytes]) -> str:
    errors.seek(0)
    said = errors.read()
    text = said[-_LOG_TAIL_BYTES:].decode(errors="replace").strip()
    cut = "..." if len(said) > _LOG_TAIL_BYTES else ""  # so that redaction knows that something was cut
    return f"; its last words:\n{cut}{text}" if text else ""


def _has_ended(process: subprocess.Popen[bytes], seconds: float | None) -> bool:
    """Wait for a child by an event of its own; the standard library would look again and again."""
    if process.poll() is not None:
        return True
    pidfd = os.pidfd_open(process.pid)
    try:
        poller = select.poll()
        poller.register(pidfd, select.POLLIN)
        poller.poll(None if seconds is None else seconds * 1000)
    finally:
        os.close(pidfd)
    return process.poll() is not None


def _end(process: subprocess.Popen[bytes], directory: Path, *, told: bool) -> None:
    """Wait for the end of a daemon, telling it to end if it was not told yet; then insist."""
    if not told and process.poll() is None:
        process.terminate()
    if not _has_ended(process, CLOSE_SECONDS):
        process.kill()
        process.wait()
    if process.returncode != 0:
        sweep_abandoned(directory)
