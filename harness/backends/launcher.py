"""Start a fake in a process of its own, and end it.

The process is ended three ways, so that none is left behind: by :meth:`RunningFake.close`, by the lifeline
when the process that started it dies, and by whoever holds a lifeline of their own.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.backends.contract import Backend
from harness.errors import BackendUnreachable, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from harness.backends.contract import BackendSpec

READY_DEADLINE = 30.0
CLOSE_DEADLINE = 5.0
_USAGE_EXIT = 4
_LOG_TAIL = 4096


@dataclass(slots=True, kw_only=True)
class RunningFake:
    """A fake that runs; a context manager that ends it.

    :ivar backend: what workers need to know of it.
    :ivar log: what it wrote to its standard error.
    :ivar notes: what an operator who started it by hand must know, for example an API key. Print them; they
        may be secrets, so never log them.
    """

    backend: Backend
    log: Path
    notes: Mapping[str, str] = field(default_factory=dict, repr=False)
    _process: subprocess.Popen[bytes]
    _resources: ExitStack

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the process."""
        self.close()

    @property
    def running(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def wait(self, deadline: float | None = None) -> bool:
        """Wait until the process ends by itself.

        :param deadline: seconds; ``None`` waits for ever.
        :return: whether it ended.
        """
        try:
            self._process.wait(deadline)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """End the process: politely, and by force when it does not end within a deadline; idempotent."""
        try:
            _end(self._process)
        finally:
            self._resources.close()


def start_fake(
    spec: BackendSpec,
    directory: Path,
    *,
    lifeline: int | Path | None,
    options: Mapping[str, str] | None = None,
    port: int = 0,
    environment: Mapping[str, str] | None = None,
    deadline: float = READY_DEADLINE,
) -> RunningFake:
    """Start the fake of a backend and wait until it serves.

    :param spec: the backend.
    :param directory: where its socket (``NAME.sock``) and its log (``NAME.log``) are to be.
    :param lifeline: read end of a pipe, or path of a FIFO, whose other end the session holds open: when that
        is closed the fake ends at once. ``None``: the fake ends with this process.
    :param options: options of the fake's own; not among the arguments of its process, which all users see.
    :param port: TCP port; 0 lets the system choose.
    :param environment: of the fake; ``None``: that of this process.
    :param deadline: seconds in which it must be ready.
    :raises UsageError: the backend has no fake, or the fake refuses its options, or they are too long.
    :raises BackendUnreachable: it ended or was not ready in time; the text holds the end of its log.
    """
    if spec.fake is None:
        raise UsageError(
            "this backend has no fake", key="--backend", value=spec.name, expected=f"{spec.name}=URL"
        )
    with ExitStack() as resources:
        inherited, watched = _lifeline(lifeline, resources)
        control = directory / f"{spec.name}.sock"
        log = directory / f"{spec.name}.log"
        command = [sys.executable, "-m", "harness.backends.serving", "--factory", spec.fake]
        command += ["--socket", str(control), "--lifeline", watched, "--port", str(port)]
        if options:
            handed = _hand_over(options, resources)
            inherited += (handed,)
            command += ["--options-from", str(handed)]
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=descriptor,
                pass_fds=inherited,
                env=environment,
                start_new_session=True,  # Ctrl-C reaches the session, which still has things to undo here
            )
        finally:
            os.close(descriptor)
        try:
            ready = _await_ready(process, spec, log, deadline)
        except BaseException:
            _kill(process)
            raise
        # Only now the socket is known to be this fake's; it is left over when the process had to be killed.
        resources.callback(control.unlink, missing_ok=True)
        backend = Backend(
            name=spec.name,
            mode="fake",
            url=ready["url"],
            secure_url=ready["secure_url"],
            control=ready["control"],
            pid=ready["pid"],
            capabilities=spec.capabilities,
            addresses=ready["addresses"],
            remarks=tuple(ready["remarks"]),
        )
        return RunningFake(
            backend=backend,
            log=log,
            notes=ready["notes"],
            _process=process,
            _resources=resources.pop_all(),
        )


def _hand_over(options: Mapping[str, str], resources: ExitStack) -> int:
    """Return a descriptor from which the fake reads its options."""
    data = json.dumps(dict(options)).encode()
    if len(data) > select.PIPE_BUF:  # more could wait for a reader that is not there yet
        raise UsageError("too much for the options of a fake", expected=f"at most {select.PIPE_BUF} bytes")
    reader, writer = os.pipe()
    resources.callback(os.close, reader)
    os.write(writer, data)
    os.close(writer)
    return reader


def _lifeline(lifeline: int | Path | None, resources: ExitStack) -> tuple[tuple[int, ...], str]:
    """Return the descriptors that the fake inherits, and how it is told what to watch."""
    if lifeline is None:
        watched, held = os.pipe()
        resources.callback(os.close, watched)
        resources.callback(os.close, held)
        return (watched,), str(watched)
    if isinstance(lifeline, int):
        return (lifeline,), str(lifeline)
    return (), str(lifeline)


def _await_ready(
    process: subprocess.Popen[bytes], spec: BackendSpec, log: Path, deadline: float
) -> dict[str, Any]:
    """Wait for the line that says where the fake listens, or for the end of the process."""
    assert process.stdout is not None  # noqa: S101 - it was started with a pipe
    with process.stdout as stdout:
        poll = select.poll()
        poll.register(stdout, select.POLLIN)
        until = time.monotonic() + deadline
        line = b""
        while not line.endswith(b"\n"):
            if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
                raise BackendUnreachable(
                    f"the fake of {spec.title} was not ready within {deadline:g} s{_tail(log)}"
                )
            piece = os.read(stdout.fileno(), 65536)
            if not piece:
                raise _ended(process, spec, log)
            line += piece
    ready: dict[str, Any] = json.loads(line)
    return ready


def _ended(process: subprocess.Popen[bytes], spec: BackendSpec, log: Path) -> Exception:
    status = process.wait(CLOSE_DEADLINE)
    if status == _USAGE_EXIT:
        return UsageError(f"the fake of {spec.title} refuses to start{_tail(log)}")
    return BackendUnreachable(f"the fake of {spec.title} ended with {status} before it was ready{_tail(log)}")


def _tail(log: Path) -> str:
    """Return the end of the log as a continuation of a message."""
    said = log.read_bytes()
    text = said[-_LOG_TAIL:].decode(errors="replace").strip()
    cut = "..." if len(said) > _LOG_TAIL else ""  # so that redaction knows that something was cut
    return f":\n{cut}{text}" if text else "; its log is empty"


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(CLOSE_DEADLINE)
        except subprocess.TimeoutExpired:
            _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait(CLOSE_DEADLINE)
