"""Fakes start in a process of their own, say where they are, and leave nothing behind."""

from __future__ import annotations

import os
import select
import signal
import socket
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from harness.backends.http import ServiceHttp
from harness.backends.launcher import start_fake
from harness.errors import BackendUnreachable, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.backends.contract import BackendSpec

SOON = 5.0


def test_started_fake(spec: BackendSpec, tmp_path: Path, alive: Callable[[int], bool]) -> None:
    """A fake runs in another process, serves a TCP port and a private socket, and is gone after its block."""
    with start_fake(spec, tmp_path, lifeline=None, options={"a": "b=c"}) as fake:
        backend = fake.backend
        assert backend.pid is not None
        assert backend.pid != os.getpid()
        assert (backend.name, backend.mode, backend.capabilities) == ("tiny", "fake", frozenset({"counting"}))
        assert fake.notes == {"options": "[('a', 'b=c')]"}
        assert httpx.get(f"{backend.url}/echo").status_code == 200
        assert backend.control == str(tmp_path / "tiny.sock")
        with ServiceHttp("http://fake", socket=backend.control) as control:
            assert control.send("GET", "/who").json() == {"pid": backend.pid}
        assert stat.S_IMODE((tmp_path / "tiny.sock").stat().st_mode) == 0o600
        assert stat.S_IMODE(fake.log.stat().st_mode) == 0o600
        assert fake.running

    assert not fake.running
    assert not alive(backend.pid)
    assert not (tmp_path / "tiny.sock").exists()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{backend.url}/echo")
    fake.close()


def test_listens_on_loopback_only(spec: BackendSpec, tmp_path: Path) -> None:
    """Another address of this host finds nobody at the fake's port."""
    with start_fake(spec, tmp_path, lifeline=None) as fake:
        port = int(fake.backend.url.rpartition(":")[2])
        with socket.socket() as other:
            assert other.connect_ex(("127.0.0.2", port)) != 0


def test_chosen_port(spec: BackendSpec, tmp_path: Path) -> None:
    """A port may be chosen; one that is taken is a usage error."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match=r"--port: cannot listen there"):
            start_fake(spec, tmp_path, lifeline=None, port=taken.getsockname()[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_on_signals(spec: BackendSpec, tmp_path: Path, number: int) -> None:
    """A fake that is told to end does so at once, with its socket, also while a request hangs in it."""
    with start_fake(spec, tmp_path, lifeline=None) as fake, socket.socket() as client:
        host, _, port = fake.backend.url.removeprefix("http://").partition(":")
        client.connect((host, int(port)))
        client.sendall(b"GET /hang HTTP/1.1\r\nHost: x\r\n\r\n")
        httpx.get(f"{fake.backend.url}/echo")
        assert fake.backend.pid is not None

        os.kill(fake.backend.pid, number)

        assert fake.wait(SOON)
        assert not (tmp_path / "tiny.sock").exists()


def test_ends_with_a_pipe(spec: BackendSpec, tmp_path: Path) -> None:
    """A fake ends when the other end of the session's pipe is closed, and not when something is written."""
    watched, held = os.pipe()
    try:
        with start_fake(spec, tmp_path, lifeline=watched) as fake:
            os.write(held, b"noise")
            assert httpx.get(f"{fake.backend.url}/echo").status_code == 200
            assert fake.running

            os.close(held)
            held = -1

            assert fake.wait(SOON)
            assert not (tmp_path / "tiny.sock").exists()
    finally:
        os.close(watched)
        if held >= 0:
            os.close(held)


def test_ends_with_a_fifo(spec: BackendSpec, tmp_path: Path) -> None:
    """A fake ends when nobody holds the session's FIFO open any more."""
    fifo = tmp_path / "lifeline"
    os.mkfifo(fifo)
    held = os.open(fifo, os.O_RDWR)
    with start_fake(spec, tmp_path, lifeline=fifo) as fake:
        assert not fake.wait(0.05)

        os.close(held)

        assert fake.wait(SOON)


def test_ends_with_its_killed_parent(spec: BackendSpec, tmp_path: Path, alive: Callable[[int], bool]) -> None:
    """SIGKILL of the process that started a fake ends the fake within a second."""
    program = (
        "import pathlib, sys, threading\n"
        "from harness.backends.contract import BackendSpec\n"
        "from harness.backends.launcher import start_fake\n"
        "spec = BackendSpec(name='tiny', title='t', client='', fake='tiny_fake:create')\n"
        "fake = start_fake(spec, pathlib.Path(sys.argv[1]), lifeline=None)\n"
        "print(fake.backend.pid, flush=True)\n"
        "threading.Event().wait()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        handle = os.pidfd_open(pid)
        try:
            assert alive(pid)
            parent.kill()
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            assert poll.poll(5000), "the fake outlived its parent"
        finally:
            os.close(handle)
    assert not (tmp_path / "tiny.sock").exists()


def test_ends_in_mid_start(spec: BackendSpec, tmp_path: Path) -> None:
    """A lifeline that breaks while the fake still starts ends it as well."""
    watched, held = os.pipe()
    os.close(held)
    try:
        with pytest.raises(BackendUnreachable, match="ended with 0 before it was ready"):
            start_fake(spec, tmp_path, lifeline=watched, options={"do": "hang"})
    finally:
        os.close(watched)


def test_nothing_of_the_options_is_an_argument(spec: BackendSpec, tmp_path: Path) -> None:
    """Every user of the host may read the arguments of a process: a key is not among them, and is there."""
    with start_fake(spec, tmp_path, lifeline=None, options={"key": "top-secret-key"}) as fake:
        arguments = Path(f"/proc/{fake.backend.pid}/cmdline").read_bytes()
        notes = fake.notes

    assert b"harness.backends.serving" in arguments
    assert b"top-secret-key" not in arguments
    assert notes == {"options": "[('key', 'top-secret-key')]"}


def test_options_that_are_too_long(spec: BackendSpec, tmp_path: Path) -> None:
    """What does not fit the pipe is refused, instead of waiting for ever for a reader."""
    with pytest.raises(UsageError, match="at most 4096 bytes"):
        start_fake(spec, tmp_path, lifeline=None, options={"key": "x" * 4096})


def test_environment_of_a_fake(spec: BackendSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fake has the environment that it is given."""
    monkeypatch.setenv("KEY_OF_THE_REAL_SERVICE", "top-secret-key")
    without = {name: value for name, value in os.environ.items() if name != "KEY_OF_THE_REAL_SERVICE"}

    with start_fake(spec, tmp_path, lifeline=None, environment=without) as fake:
        environment = Path(f"/proc/{fake.backend.pid}/environ").read_bytes()

    assert b"PATH=" in environment
    assert b"top-secret-key" not in environment


def test_options_that_the_fake_refuses(spec: BackendSpec, tmp_path: Path) -> None:
    """What a fake says about its options is the user's error, in its own words."""
    with pytest.raises(
        UsageError, match=r"Tiny Service refuses to start:\n(?s:.*)no such option of this fake"
    ):
        start_fake(spec, tmp_path, lifeline=None, options={"do": "refuse"})


@pytest.mark.parametrize(
    ("what", "text"), [("crash", "the factory crashed"), ("exit", "ended with 7(?s:.*)noise of the factory")]
)
def test_fake_that_dies(spec: BackendSpec, tmp_path: Path, what: str, text: str) -> None:
    """A fake that dies before it is ready is reported with the end of its log."""
    with pytest.raises(BackendUnreachable, match=text):
        start_fake(spec, tmp_path, lifeline=None, options={"do": what})


def test_no_secret_in_the_log(spec: BackendSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a fake says on its standard error is in its log without the secrets, whole lines and parts."""
    (tmp_path / "modules" / "a_talker.py").write_text(
        "import sys, tiny_fake\n"
        "create = tiny_fake.create\n"
        "def talk(settings):\n"
        "    sys.stderr.write('Bearer 0123456')\n"
        "    sys.stderr.write('789abcdef is the key\\n')\n"
        "    return create(settings)\n"
        "tiny_fake.create = talk\n"
    )
    monkeypatch.setenv("HARNESS_PLUGINS", "a_talker")

    with start_fake(spec, tmp_path, lifeline=None) as fake:
        said = fake.log.read_text()

    assert said.startswith("Bearer [redacted: bearer token] is the key\n")


def test_fake_that_is_never_ready(spec: BackendSpec, tmp_path: Path) -> None:
    """A fake that does not get ready is ended, and the wait for it too."""
    with pytest.raises(BackendUnreachable, match=r"not ready within 1\.5 s"):
        start_fake(spec, tmp_path, lifeline=None, options={"do": "hang"}, deadline=1.5)


def test_backend_without_a_fake(spec: BackendSpec, tmp_path: Path) -> None:
    """A backend that has no fake says so."""
    with pytest.raises(UsageError, match="has no fake"):
        start_fake(replace(spec, fake=None), tmp_path, lifeline=None)


def test_fake_that_cannot_be_found(spec: BackendSpec, tmp_path: Path) -> None:
    """A factory that does not exist is the user's error and named."""
    with pytest.raises(UsageError, match="tiny_fake:nothing"):
        start_fake(replace(spec, fake="tiny_fake:nothing"), tmp_path, lifeline=None)


def test_too_long_a_directory(spec: BackendSpec, tmp_path: Path) -> None:
    """A directory too long for a socket path is refused in words, not by an OSError."""
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    with pytest.raises(UsageError, match="too long for a socket"):
        start_fake(spec, deep, lifeline=None)


def test_socket_that_is_in_use(spec: BackendSpec, tmp_path: Path) -> None:
    """A second fake does not push a first one off its socket, and a stale socket is no hindrance."""
    with start_fake(spec, tmp_path, lifeline=None) as first:
        with pytest.raises(UsageError, match="somebody listens there"):
            start_fake(spec, tmp_path, lifeline=None)
        assert first.running
        assert first.backend.control is not None
        with ServiceHttp("http://fake", socket=first.backend.control) as control:
            assert control.send("GET", "/who").json() == {"pid": first.backend.pid}
        assert first.backend.pid is not None
        os.kill(first.backend.pid, signal.SIGKILL)
        assert first.wait(SOON)
        assert (tmp_path / "tiny.sock").exists()
        with start_fake(spec, tmp_path, lifeline=None) as second:
            assert second.running
