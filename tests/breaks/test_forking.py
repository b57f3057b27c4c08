"""Forked processes are what executed ones would be: to their parent, and to themselves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.breaks.support.catalogue import ROOT
from tests.breaks.support.forking import ForkedProcess, ForkServer, Program, read_command
from tests.breaks.support.sessions import environment, kill_group

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What a process sees of itself; the last says whether everything was imported before it began.
SEEN = """
import json, os, signal, sys
status = open("/proc/self/status").read()
mask = next(line.split()[1] for line in status.splitlines() if line.startswith("Umask:"))
print(json.dumps({
    "arguments": sys.argv,
    "name": __name__,
    "directory": os.getcwd(),
    "searched": sys.path[:2],
    "variables": {name: value for name, value in os.environ.items() if name.startswith("SEEN_")},
    "parent": os.getppid(),
    "leads": os.getsid(0) == os.getpid(),
    "mask": mask,
    "interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
    "terminate": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
    "blocked": [int(each) for each in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
    "input": sys.stdin.read(),
    "open": sorted(int(each) for each in os.listdir("/proc/self/fd") if int(each) < 100)[:-1],
}))
"""
CLONED = "import sys; print('harness.ssh.connection' in sys.modules)"


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    """A fork server that belongs to these tests."""
    server = ForkServer.start(_variables(), ROOT)
    yield server
    server.close()


def _variables(**more: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return {**ours, "PYTHONPATH": str(ROOT), **more}


def _look(server: ForkServer | None, directory: Path, *arguments: str) -> dict[str, object]:
    command = [sys.executable, "-c", SEEN, *arguments]
    with ForkedProcess(
        command,
        server=server,
        cwd=directory,
        env=_variables(SEEN_A="b"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        output, _ = process.communicate("typed", timeout=60)
    assert process.returncode == 0
    seen: dict[str, object] = json.loads(output)
    return seen


def test_forked_process_is_as_an_executed_one(server: ForkServer, tmp_path: Path) -> None:
    """Arguments, directory, variables, parent, session, mask, signals, input and files are the same."""
    before = os.umask(0o027)
    try:
        forked = _look(server, tmp_path, "one", "two three")
        executed = _look(None, tmp_path, "one", "two three")
    finally:
        os.umask(before)

    assert forked == executed
    assert forked["parent"] == os.getpid()
    assert forked["leads"] is True
    assert forked["mask"] == "0027"
    assert forked["input"] == "typed"
    assert forked["variables"] == {"SEEN_A": "b"}


def test_everything_was_imported_before(server: ForkServer) -> None:
    """That is what it is for."""
    assert _ask(server, [sys.executable, "-c", CLONED]) == "True"
    assert _ask(None, [sys.executable, "-c", CLONED]) == "False"


def test_clones_have_fork_servers_of_their_own(server: ForkServer) -> None:
    """What they start by any call of subprocess is forked from one that did nothing yet."""
    nested = (
        "import subprocess, sys; sys.modules['mark'] = sys; subprocess.run([sys.executable, '-c',"
        ' \'import sys; print("mark" in sys.modules, "harness.ssh.connection" in sys.modules)\'], check=True)'
    )

    assert _ask(server, [sys.executable, "-c", nested]) == "False True"


def test_module_is_run_as_main(server: ForkServer, tmp_path: Path) -> None:
    """Also one that is in the directory it is started in, and none of another's that was."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "own_program.py").write_text(
            f"import sys\nprint({name!r}, __name__, sys.argv[1:])\n"
        )

    said = [
        _ask(server, [sys.executable, "-m", "own_program", "x"], directory=tmp_path / name)
        for name in ("first", "second")
    ]

    assert said == ["first __main__ ['x']", "second __main__ ['x']"]


def test_descriptors_are_handed_on(server: ForkServer) -> None:
    """Under their numbers, whichever those are."""
    reading, writing = os.pipe()
    try:
        command = [sys.executable, "-c", "import os, sys; os.write(int(sys.argv[1]), b'said')", str(writing)]
        with ForkedProcess(command, server=server, env=_variables(), pass_fds=[writing]) as process:
            assert process.wait(60) == 0
        assert os.read(reading, 64) == b"said"
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("raise SystemExit(7)", 7),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9),
        ("raise ValueError('no')", 1),
        ("import atexit, os; atexit.register(os._exit, 5)", 5),
    ],
)
def test_ends(server: ForkServer, code: str, status: int) -> None:
    """Its end is its parent's to see, and goes the interpreter's way."""
    with ForkedProcess(
        [sys.executable, "-c", code], server=server, env=_variables(), stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        errors = process.stderr.read().decode()
        assert process.wait(60) == status
    assert ("ValueError: no" in errors) == (status == 1)


def test_interrupt_of_the_group_leaves_the_fork_server(server: ForkServer) -> None:
    """Who is interrupted may still have to start something, and can."""
    code = """
import os, signal, subprocess, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started us may have it ignored
try:
    os.killpg(0, signal.SIGINT)
    signal.pause()
except KeyboardInterrupt:
    subprocess.run([sys.executable, "-c", CLONED], check=True)
"""
    code = f"CLONED = {CLONED!r}\n{code}"
    assert _ask(server, [sys.executable, "-c", code]) == "True"


def test_what_a_clone_cannot_have_is_executed(server: ForkServer) -> None:
    """An interpreter that starts with other variables or options, and another program."""
    other = _variables(PYTHONWARNINGS="error")

    with ForkedProcess(
        [sys.executable, "-c", CLONED], server=server, env=other, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.communicate(timeout=60)[0].strip() == "False"
    assert _ask(server, [sys.executable, "-E", "-c", CLONED]) == "False"
    assert _ask(server, ["sh", "-c", "echo other"]) == "other"


def test_program_that_is_not_there(server: ForkServer, tmp_path: Path) -> None:
    """It is told as ever."""
    with pytest.raises(FileNotFoundError):
        ForkedProcess([sys.executable, "-c", ""], server=server, cwd=tmp_path / "nowhere", env=_variables())


@pytest.mark.parametrize(
    ("options", "program"),
    [
        (["-m", "a.b", "-x"], Program(module="a.b", arguments=("-x",))),
        (["-ma.b"], Program(module="a.b")),
        (
            ["-P", "-u", "-c", "code", "-m"],
            Program(code="code", arguments=("-m",), safe_path=True, unbuffered=True),
        ),
        (["-I", "-m", "a"], None),
        (["-m"], None),
        (["script.py"], None),
        ([], None),
    ],
)
def test_commands_are_read(options: list[str], program: Program | None) -> None:
    """Only those that a clone can follow."""
    assert read_command([sys.executable, *options]) == program


def test_sessions_start_as_the_fork_server_did(server: ForkServer, tmp_path: Path) -> None:
    """Otherwise each of them would be executed, and nobody would see it but by the clock."""
    assert server.suits(environment("tests.breaks.block_ignored", tmp_path))


def test_server_that_is_gone() -> None:
    """Nobody waits for a child that will not come."""
    server = ForkServer.start(_variables(), ROOT)
    assert server._process is not None
    server._process.send_signal(signal.SIGKILL)
    with pytest.raises(OSError, match=r"fork server has ended|Broken pipe|reset"):
        ForkedProcess([sys.executable, "-c", ""], server=server, env=_variables())
    server.close()


def _ask(server: ForkServer | None, command: list[str], directory: Path = ROOT) -> str:
    with ForkedProcess(
        command,
        server=server,
        env=_variables(),
        cwd=directory,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            kill_group(process)
            raise
    assert process.returncode == 0
    return str(output).strip()
