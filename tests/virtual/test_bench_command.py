"""``harness bench``: a bench by hand."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from harness.cli.bench import app, choose_kinds
from harness.errors import BenchFault, UsageError
from harness.virtual.client import BenchClient

if TYPE_CHECKING:
    from pathlib import Path

    from harness.virtual.launcher import RunningBench

KINDS = ["x-virtual", "y-virtual", "z-virtual"]

# The mounted command is another module's matter: this runs the group by itself.
UP = "import sys; from harness.cli.bench import app; app(sys.argv[1:])"


def run(*words: str) -> str:
    """Run one command of the group; return what it prints."""
    result = CliRunner().invoke(app, words)
    if result.exception is not None:
        raise result.exception
    assert result.exit_code == 0
    return result.stdout


def start_up(directory: Path, *words: str) -> subprocess.Popen[str]:
    """Start ``harness bench up``."""
    process = subprocess.Popen(
        [sys.executable, "-c", UP, "up", "--directory", str(directory), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process


def read_until(process: subprocess.Popen[str], end: str) -> str:
    """Read lines up to the one that begins with ``end``."""
    assert process.stdout is not None
    text = ""
    while not text.splitlines()[-1:] or not text.splitlines()[-1].startswith(end):
        line = process.stdout.readline()
        assert line, f"ended after {text!r}: {process.stderr and process.stderr.read()}"
        text += line
    return text


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("1", ["x-virtual"]),
        ("4", ["x-virtual", "y-virtual", "z-virtual", "x-virtual"]),
        ("z-virtual=2,x-virtual=1", ["z-virtual", "z-virtual", "x-virtual"]),
    ],
)
def test_boards_are_chosen(text: str, kinds: list[str]) -> None:
    """A number takes every kind in turn; kinds by name are taken as they stand."""
    assert choose_kinds(text, KINDS) == kinds


def test_wrong_numbers_of_boards_are_refused() -> None:
    """Malformed text, and a number when no plugin gives a kind."""
    with pytest.raises(UsageError, match="--boards: not a number of boards"):
        choose_kinds("many", KINDS)
    with pytest.raises(UsageError, match="--boards: no plugin gives a kind of virtual board"):
        choose_kinds("2", [])


def test_up_keeps_a_bench_until_ctrl_c(tmp_path: Path) -> None:
    """It prints boards, ports and how to attach; Ctrl-C ends it with exit code 0 and leaves nothing."""
    directory = tmp_path / "bench"
    process = start_up(directory, "--boards", "nrf9151dk-virtual=2")
    text = read_until(process, "Ctrl-C ends it.")

    assert f"pytest --bench virtual={directory}/control.sock" in text
    assert f"nrf9151dk-virtual-1  nrf9151dk-virtual  plugged, on  console {directory}/dev/ttyVB2" in text
    with BenchClient(directory / "control.sock") as client:
        port = os.open(client.boards()[1].ports["console"], os.O_RDWR | os.O_NOCTTY)
    os.write(port, b"AT\r")
    assert select.select([port], [], [], 5)[0]
    assert b"OK" in os.read(port, 100)
    os.close(port)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (0, "")
    assert "The bench is gone." in out
    assert list(tmp_path.iterdir()) == []


def test_up_obeys_ctrl_c_where_a_shell_had_it_ignored(tmp_path: Path) -> None:
    """A shell without job control starts a command in the background with SIGINT ignored."""
    process = subprocess.Popen(
        [
            *("sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-c", UP, "up"),
            *("--directory", str(tmp_path / "bench")),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    read_until(process, "Ctrl-C ends it.")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)

    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_up_ends_when_the_bench_is_shut_down(tmp_path: Path) -> None:
    """A client's ``shutdown`` is an ordinary end."""
    process = start_up(tmp_path / "bench", "--boards", "1")
    read_until(process, "Ctrl-C ends it.")
    with BenchClient(tmp_path / "bench" / "control.sock") as client:
        client.shutdown()
    out, _ = process.communicate(timeout=30)

    assert (process.returncode, out) == (0, "The bench was shut down.\n")


def test_up_says_when_the_bench_dies(tmp_path: Path) -> None:
    """A killed daemon is a fault, and its remains are swept."""
    process = start_up(tmp_path / "bench", "--boards", "1")
    read_until(process, "Ctrl-C ends it.")
    with BenchClient(tmp_path / "bench" / "control.sock") as client:
        os.kill(client.request("ping")["pid"], signal.SIGKILL)
    _, err = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "the bench died (exit code -9)" in err
    assert [path.name for path in (tmp_path / "bench").iterdir()] == ["bench.log"]


def test_up_without_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a directory of its own in the runtime directory."""
    monkeypatch.setenv("HARNESS_RUNTIME_DIR", str(tmp_path))
    process = subprocess.Popen(
        [sys.executable, "-c", UP, "up"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    text = read_until(process, "Ctrl-C ends it.")
    assert f"virtual={tmp_path}/bench-{process.pid}/control.sock" in text
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)

    assert list(tmp_path.iterdir()) == []


def test_list(running: RunningBench) -> None:
    """The table says how each board is; with the text that ``up`` prints for pytest, too."""
    with BenchClient(running.socket) as client:
        client.board("a").unplug()
        client.board("b").set_power(on=False)
    lines = run("list", "--bench", f"virtual={running.socket}").splitlines()

    assert lines[0].split() == ["board", "kind", "state", "ports"]
    assert lines[1].split() == ["a", "toy", "unplugged,", "on", "none"]
    assert lines[2].split() == ["b", "toy", "plugged,", "off", "console", f"{running.directory}/dev/ttyVB2"]


def test_list_shows_a_crash(running: RunningBench) -> None:
    """A board whose twin broke says so."""
    with BenchClient(running.socket) as client, pytest.raises(BenchFault):
        client.board("a").call("crash")

    assert "crashed in call 'crash': RuntimeError: this work fails" in run(
        "list", "--bench", str(running.socket)
    )


def test_cable_power_and_reset(running: RunningBench) -> None:
    """Each command does its one thing; those that give new ports print them."""
    bench = ("--bench", str(running.socket))
    assert run("unplug", "a", *bench) == ""
    dev = running.directory / "dev"
    assert run("plug", "a", *bench) == f"console  {dev}/ttyVB0\ntrace  {dev}/ttyVB1\n"
    assert run("replug", "a", *bench) == f"console  {dev}/ttyVB4\ntrace  {dev}/ttyVB5\n"
    assert run("power", "a", "off", *bench) == ""
    assert run("power", "a", "on", *bench) == ""
    assert run("reset", "a", *bench) == ""

    with BenchClient(running.socket) as client:
        assert client.board("a").call("events") == ["power_on", "power_off", "power_on", "reset"]


def test_an_unknown_board_is_a_fault(running: RunningBench) -> None:
    """The message names the boards that there are."""
    with pytest.raises(BenchFault, match="the bench has no board 'z'; it has a, b"):
        run("reset", "z", "--bench", str(running.socket))
