"""Who has a port open, as the bench sees it: inotify tells several events that are alike as one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness.virtual.ports import is_locked_by_a_client

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest
    import serial

    from harness.virtual.client import BenchClient

    OpenPort = Callable[..., serial.Serial]


def test_client_is_still_there_when_opens_were_told_once(client: BenchClient, open_port: OpenPort) -> None:
    """Others that open a port in one go and leave it one by one do not make the bench forget its client."""
    console = open_port("a")
    console.exclusive = True  # as the harness opens it
    console.write(b"hello\r")
    assert console.read_until(b"OK\r\n") == b"hello\r\nOK\r\n"
    others = [os.open(str(console.port), os.O_RDWR | os.O_NOCTTY) for _ in range(20)]
    for other in others:
        os.close(other)
        client.boards()  # the bench hears of each close by itself

    client.board("a").call("send", text="still here\n")

    assert console.read_until(b"\n") == b"still here\n"


def test_locks_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system does not tell of locks the count of opens and closes has to do."""
    monkeypatch.setattr("harness.virtual.ports._LOCKS", tmp_path / "nowhere")
    master, slave = os.openpty()
    try:
        assert not is_locked_by_a_client(slave)
    finally:
        os.close(master)
        os.close(slave)
