"""The fork server itself: a process that has imported everything, and becomes what it is asked for.

See :mod:`tests.breaks.support.forking`, which asks it.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import types
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from tests.breaks.support.forking import (
    CLONE,
    IGNORABLE,
    MESSAGE_BYTES,
    MOST_DESCRIPTORS,
    Birth,
    ForkedProcess,
    ForkServer,
    Program,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PACKAGES = ("harness", "harness_nordic", "harness_guardian", "harness_pelion")
# They are run by ``-m``, or pytest must import them itself to rewrite their assertions.
NOT_IMPORTED = ("harness.backends.serving", "harness.virtual.daemon", "harness.pytest_plugin.plugin")

# clone(2).
CLONE_PARENT = 0x00008000
# Above what programs count on to be free.
LINK_DESCRIPTOR = 200


def main(descriptor: int) -> None:
    """Import everything, and serve; returns in each clone when what it was to run has ended."""
    link = socket.socket(fileno=descriptor)
    for number in IGNORABLE:  # meant for the program, which may still have something to start then
        signal.signal(number, signal.SIG_IGN)
    before = set(sys.modules)
    import_everything()
    for name in set(sys.modules) - before:
        if "." not in name:
            # pytest warns of plugins' packages that it cannot rewrite any more; here no assertion is lost.
            sys.modules[name].__doc__ = f"{sys.modules[name].__doc__ or ''}\n\nPYTEST_DONT_REWRITE"
    gc.collect()
    gc.freeze()  # so that no clone has to copy what it only looks at
    _become(link)


def import_everything() -> None:
    """Import all that sessions of breaks use, but what must be imported or run in them."""
    importlib.import_module("pytest")
    for package in PACKAGES:
        found = importlib.import_module(package)
        for each in pkgutil.walk_packages(found.__path__, f"{package}."):
            if each.name not in NOT_IMPORTED and not each.name.endswith("__main__"):
                importlib.import_module(each.name)


def _become(link: socket.socket) -> None:
    """Serve until somebody is to be born; returns in clones alone."""
    birth, descriptors = _serve(link)
    link.close()
    _take_over(birth, descriptors)
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        _become(its)
        return
    its.close()
    for number in IGNORABLE:
        signal.signal(number, signal.SIG_IGN if number in birth.ignored else signal.SIG_DFL)
    if signal.SIGINT not in birth.ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    high = fcntl.fcntl(ours, fcntl.F_DUPFD_CLOEXEC, LINK_DESCRIPTOR)
    ours.close()
    subprocess.Popen.server = ForkServer(socket.socket(fileno=high), birth.environment)  # type: ignore[attr-defined]
    subprocess.Popen._execute_child = ForkedProcess._execute_child  # type: ignore[attr-defined]
    _run(Program(**birth.program))


def _serve(link: socket.socket) -> tuple[Birth, list[int]]:
    while True:
        message, descriptors, _, _ = socket.recv_fds(link, MESSAGE_BYTES, MOST_DESCRIPTORS)
        if not message:
            _end()
        birth = Birth(**json.loads(message))
        pid = _clone()
        if pid == 0:
            return birth, descriptors
        for each in descriptors:
            os.close(each)
        try:
            link.send(str(pid).encode())
        except OSError:  # who asked has gone; the clone finds its pipes closed
            _end()


def _end() -> NoReturn:
    os._exit(0)


def _clone() -> int:
    """Fork, with our parent as the parent of the clone.

    :return: as of :func:`os.fork`, or a negated errno.
    """
    python, system = ctypes.pythonapi, ctypes.PyDLL(None, use_errno=True)
    python.PyOS_BeforeFork()
    pid = int(system.syscall(CLONE, CLONE_PARENT | signal.SIGCHLD, None, None, None, None))
    problem = ctypes.get_errno()
    if pid == 0:
        python.PyOS_AfterFork_Child()
    else:
        python.PyOS_AfterFork_Parent()
    return pid if pid >= 0 else -problem


def _take_over(birth: Birth, descriptors: Sequence[int]) -> None:
    """Make of this clone what an executed process would be before its program begins."""
    if birth.new_session:
        os.setsid()
    _put(descriptors, birth.descriptors)
    os.chdir(birth.directory)
    os.umask(birth.mask)
    signal.pthread_sigmask(signal.SIG_SETMASK, birth.blocked)
    program = Program(**birth.program)
    if program.module:
        first = [] if program.safe_path else [birth.directory]
    else:
        first = [] if program.safe_path else [""]
    own = _search_path(os.environ)
    rest = sys.path[len(own) :] if sys.path[: len(own)] == own else sys.path
    sys.path[:] = [*first, *_search_path(birth.environment), *rest]
    os.environ.clear()
    os.environ.update(birth.environment)
    importlib.invalidate_caches()
    tempfile.tempdir = None  # asked of the environment anew
    _open_standard_streams(unbuffered=program.unbuffered)


def _search_path(variables: Mapping[str, str]) -> list[str]:
    return [str(Path(each).absolute()) for each in variables.get("PYTHONPATH", "").split(os.pathsep) if each]


def _put(descriptors: Sequence[int], places: Sequence[int]) -> None:
    """Give descriptors these numbers, and close all others."""
    beyond = max([*descriptors, *places]) + 1
    # None of them lies then where another one is to go.
    lifted = [fcntl.fcntl(each, fcntl.F_DUPFD, beyond) for each in descriptors]
    for each, place in zip(lifted, places, strict=True):
        os.dup2(each, place, inheritable=True)
    for each in [int(path.name) for path in Path("/proc/self/fd").iterdir()]:
        if each not in places:
            with suppress(OSError):  # the one by which the directory was read
                os.close(each)


def _open_standard_streams(*, unbuffered: bool) -> None:
    before = sys.stdout
    sys.stdin = sys.__stdin__ = os.fdopen(0, encoding=before.encoding, closefd=False)  # type: ignore[misc]
    for name, number, problems in (("stdout", 1, before.errors), ("stderr", 2, "backslashreplace")):
        raw = io.FileIO(number, "w", closefd=False)
        stream = io.TextIOWrapper(
            raw if unbuffered else io.BufferedWriter(raw),
            encoding=before.encoding,
            errors=problems,
            line_buffering=number == 2 or raw.isatty(),
            write_through=unbuffered,
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _run(program: Program) -> None:
    """Run what this process is for; what it raises is the interpreter's to handle, as ever."""
    main_module = types.ModuleType("__main__")
    main_module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = main_module
    if program.code:
        sys.argv = ["-c", *program.arguments]
        exec(compile(program.code, "<string>", "exec"), main_module.__dict__)  # noqa: S102  # that is what -c is
        return
    sys.argv = ["-m", *program.arguments]
    sys.modules.pop(program.module, None)  # it is __main__ now
    runpy._run_module_as_main(program.module)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(int(sys.argv[1]))
