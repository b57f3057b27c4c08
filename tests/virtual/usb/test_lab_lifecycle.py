"""How a lab begins and ends, by hand and when somebody is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import BenchFault, UsageError
from harness.virtual import bench_directory
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from harness.virtual.usb import environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Lab = Any

STARTER = """
import pathlib, sys
from harness.virtual.launcher import start_bench
bench = start_bench(pathlib.Path(sys.argv[1]), [("nrf9160dk-virtual", None, {})], usb=True)
print(bench.pid, flush=True)
sys.stdin.read()
"""
PORTS = "import serial.tools.list_ports as l; print(*sorted(port.device for port in l.comports()))"


@pytest.mark.usefixtures("usb_lab_factory")
def test_the_lab_goes_with_its_starter(ends_within: Callable[[int, float], bool], tmp_path: Path) -> None:
    """After SIGKILL of whoever started it neither the daemon nor a file is left."""
    directory = tmp_path / "bench"
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as starter:
        assert starter.stdout is not None
        daemon = os.pidfd_open(int(starter.stdout.readline()))
        assert (directory / "usb" / "dev" / "ttyACM0").is_symlink()
        root = (directory / "usb").resolve()
        starter.kill()
    assert ends_within(daemon, 20)
    assert not root.exists()
    assert not directory.exists()


def test_what_a_killed_daemon_left_is_swept(usb_lab_factory: Callable[..., Any], tmp_path: Path) -> None:
    """The next lab in the same place begins empty, and at its end nothing of either is left."""
    directory = tmp_path / "bench"
    with usb_lab_factory(tmp_path) as lab:
        lab.client.add("nrf9160dk-virtual", id="a", usb={"port": "1-1.2"})
        lab.client.close()
        pidfd = os.pidfd_open(lab.bench.pid)
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        os.close(pidfd)
        assert lab.bench.wait(20)
        left = (directory / "usb").resolve()
        assert (left / "sys").is_dir()
        with start_bench(directory, usb=True) as bench:
            ran = subprocess.run(
                [sys.executable, "-c", PORTS],
                env={**os.environ, **bench.usb_environment},
                capture_output=True,
                text=True,
                check=True,
            )
            assert ran.stdout == "\n"
    assert not os.path.lexists(directory / "usb")
    assert not left.exists()


def test_without_umockdev_a_lab_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One message names the library and the package that has it."""
    monkeypatch.setattr(environment, "PRELOAD", "libno-such-preload.so.0")
    with pytest.raises(UsageError, match=r"needs libno-such-preload\.so\.0, .* apt install umockdev"):
        environment.lab_environment(tmp_path / "usb")


@pytest.mark.usefixtures("usb_lab_factory")
def test_a_path_too_long_for_sockets_is_refused(tmp_path: Path) -> None:
    """The message says how long the directory may be."""
    with pytest.raises(UsageError, match=r"--directory: too long for a USB lab.*at most 81 characters"):
        environment.lab_environment(tmp_path / ("x" * 80) / "usb")


def test_other_preloaded_libraries_stay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a process preloads anyway is preloaded in the lab, too; nothing twice."""
    monkeypatch.setattr(environment, "PRELOAD", "libc.so.6")
    monkeypatch.setenv("LD_PRELOAD", "libm.so.6:libc.so.6")
    found = environment.lab_environment(tmp_path / "usb")
    assert found == {"LD_PRELOAD": "libc.so.6:libm.so.6", "UMOCKDEV_DIR": str(tmp_path.resolve() / "usb")}


@pytest.mark.usefixtures("usb_lab_factory")
def test_a_lab_is_one_users(tmp_path: Path) -> None:
    """A shared lab is refused: other users' monitors could not be told."""
    with pytest.raises(UsageError, match="a USB lab cannot be shared"):
        start_bench(tmp_path / "bench", usb=True, shared=True)
    assert not (tmp_path / "bench").exists()


def test_a_bench_without_a_lab_says_so(tmp_path: Path) -> None:
    """USB settings, strangers and hub ports are refused there; the environment is empty."""
    with (
        start_bench(tmp_path / "bench", [("nrf9160dk-virtual", "a", {})]) as bench,
        BenchClient(bench.socket) as client,
    ):
        assert bench.usb_environment == client.usb_environment == {}
        for attempt in (
            lambda: client.add("nrf9160dk-virtual", usb={}),
            lambda: client.add_stranger(vendor_id=1, product_id=2, manufacturer="m", product="p"),
            lambda: client.board("a").plug("1-1"),
            lambda: client.board("a").replug(names={"console": "ttyACM0"}),
        ):
            with pytest.raises(UsageError, match=r"no USB lab|not on USB"):
                attempt()
        assert client.board("a").state().plugged
        assert [state.id for state in client.boards()] == ["a"]
        ran = subprocess.run(
            [
                *(sys.executable, "-m", "harness.cli", "bench", "exec", "--bench", str(bench.socket)),
                *("--", "true"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 4
        assert "this bench has no USB lab" in ran.stderr


def test_a_lab_by_hand(usb_lab: Lab, tmp_path: Path) -> None:
    """``up --usb`` prints what to export; ``exec`` runs a command in the lab; ``replug`` moves a board."""
    harness = [sys.executable, "-m", "harness.cli", "bench"]

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*harness, *words], capture_output=True, text=True, check=False, timeout=60)

    up = [*harness, "up", "--usb", "--boards", "nrf9160dk-virtual=1", "--directory", str(tmp_path / "b")]
    with subprocess.Popen(up, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said: list[str] = []
            while not said or not said[-1].startswith("Ctrl-C"):
                said.append(process.stdout.readline())
                assert said[-1], said
            text = "".join(said)
            assert "000960000000 at 1-1.1" in text
            assert f"  export UMOCKDEV_DIR={(tmp_path / 'b' / 'usb').resolve()}\n" in text
            assert "  export LD_PRELOAD=libumockdev-preload.so.0" in text
            bench = ("--bench", str(tmp_path / "b" / "control.sock"))
            moved = run(
                "replug", "nrf9160dk-virtual-0", *bench, "--port", "2-1", "--name", "trace=/dev/ttyACM0"
            )
            assert moved.stdout == "console  /dev/ttyACM2\ntrace  /dev/ttyACM0\n"
            ran = run("exec", *bench, "--", sys.executable, "-c", PORTS)
            assert (ran.returncode, ran.stdout) == (0, "/dev/ttyACM0 /dev/ttyACM2\n")
            assert run("exec", *bench, "--", "false").returncode == 1
            wrong = run("plug", "nrf9160dk-virtual-0", *bench, "--name", "console")
            assert wrong.returncode == 4
            assert "--name: not a name for an endpoint (got 'console')" in wrong.stderr
        finally:
            process.send_signal(signal.SIGINT)
    assert not (tmp_path / "b").exists()
    assert usb_lab.python(PORTS) == "\n"  # no lab sees the other's boards


def test_a_daemon_that_cannot_watch_refuses_a_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without inotify nobody could be told of plugs: a fault that says so, and nothing is left open."""
    from harness.virtual.loop import Loop
    from harness.virtual.usb import lab, uevents

    def no_inotify() -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(environment, "PRELOAD", "libc.so.6")
    monkeypatch.setattr(uevents, "Inotify", no_inotify)
    (tmp_path / "usb").mkdir()
    loop = Loop()
    try:
        with pytest.raises(BenchFault, match=r"cannot tell of plugs and unplugs: .*Too many open files"):
            lab.UsbLab(loop, tmp_path / "usb")
    finally:
        loop.close()


def test_a_host_without_memory_files_has_its_lab_on_the_disk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where ``/dev/shm`` cannot be used the lab is in the bench's directory, and goes with it."""
    monkeypatch.setattr(bench_directory, "_MEMORY", tmp_path / "nowhere")
    directory = bench_directory.BenchDirectory(tmp_path / "bench")
    root = directory.make_lab_root()
    assert root == tmp_path / "bench" / "usb"
    (root / "sys").mkdir()
    directory.close()
    assert not (tmp_path / "bench").exists()


def test_a_link_to_elsewhere_is_not_followed_by_the_sweep(tmp_path: Path) -> None:
    """Only what a lab made in memory is removed with its link; nobody's files are."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "usb").symlink_to(tmp_path / "mine")
    bench_directory.sweep(tmp_path / "bench")
    assert (tmp_path / "mine" / "file").exists()
    assert not os.path.lexists(tmp_path / "bench" / "usb")


def test_a_bench_started_in_a_lab_is_outside_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would gain nothing and lose a descriptor with every file it opens below ``/dev``."""
    monkeypatch.setattr(environment, "PRELOAD", "liblab.so")
    inside = {"LD_PRELOAD": "liblab.so:libother.so", "UMOCKDEV_DIR": "/somewhere", "HOME": "/home"}
    assert environment.outside_labs(inside) == {"LD_PRELOAD": "libother.so", "HOME": "/home"}
    assert environment.outside_labs({"HOME": "/home"}) == {"HOME": "/home"}


def test_a_lab_in_a_lab(usb_lab: Lab, tmp_path: Path) -> None:
    """Whoever is in one lab may start another, and each shows its own boards."""
    usb_lab.client.add("nrf9160dk-virtual", id="outer")
    said = usb_lab.python(
        """
import os, pathlib, subprocess, sys
from harness.virtual.launcher import start_bench
with start_bench(pathlib.Path(sys.argv[1]), [("thingy91x-virtual", None, {})] * 2, usb=True) as bench:
    for more in ({}, bench.usb_environment):
        subprocess.run([sys.executable, "-c", sys.argv[2]], env={**os.environ, **more}, check=True)
""",
        str(tmp_path / "inner"),
        PORTS,
    )
    assert said.splitlines() == [
        "/dev/ttyACM0 /dev/ttyACM1",
        "/dev/ttyACM0 /dev/ttyACM1 /dev/ttyACM2 /dev/ttyACM3",
    ]
