"""The suite, the board and the service are programs of their own: what passes between them is real."""

from __future__ import annotations

import os
import socket
import stat
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="nrf91", needs={"attestation"})

_LISTENING = "0A"


def pid_behind(path: str) -> int:
    """Return the process that serves a UNIX socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid: int = struct.unpack("3i", credentials)[0]
    return pid


def listens_on(pid: int, port: int) -> bool:
    """Tell whether a process holds a listening TCP socket on a port, from what the kernel says."""
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    inodes = {row[9] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == _LISTENING}
    return any(
        str(descriptor.readlink()).strip("socket:[]") in inodes
        for descriptor in Path(f"/proc/{pid}/fd").iterdir()
        if descriptor.is_symlink()
    )


@pytest.mark.backend(needs={"device-log"})
@pytest.mark.proves("separation", "suite, board and service are processes of their own")
def test_bytes_cross_a_tty_and_a_tcp_socket(board: LeasedBoard, nrfcloud: Any, claimed: Any) -> None:
    """Nothing is tested within its own process: AT crosses a tty, and the board's HTTP a TCP socket."""
    if board.description.bench is None:
        pytest.skip("hardware is a process of its own by nature")
    bench, fake = pid_behind(board.description.bench), nrfcloud.backend.pid
    address = urlsplit(nrfcloud.backend.url)
    tty = os.path.realpath(board.description.endpoints["console"].url)
    said, asked = board.console.position, len(nrfcloud.device_requests(claimed.id))

    board.driver.provision()

    assert len({os.getpid(), bench, fake}) == 3
    assert stat.S_ISCHR(Path(tty).stat().st_mode)
    assert tty.startswith("/dev/pts/")
    assert board.console.position > said
    assert address.hostname == "127.0.0.1"
    assert address.port is not None
    assert listens_on(fake, address.port)
    assert len(nrfcloud.device_requests(claimed.id)) > asked
