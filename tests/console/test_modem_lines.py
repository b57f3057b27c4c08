"""Opening a port resets no board: DTR and RTS are chosen before it is opened."""

from __future__ import annotations

import os
import pty
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
import serial
from serial.rfc2217 import PortManager
from serial.urlhandler.protocol_loop import Serial as LoopSerial

from harness.console import Console
from harness.inventory.board import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator


class RecordingSerial(LoopSerial):
    """The serial port behind a server; remembers each state of the modem lines that it was told."""

    _dtr_state: bool
    _rts_state: bool

    def __init__(self) -> None:
        self.told: list[tuple[str, bool]] = []
        super().__init__("loop://")
        self.told.clear()

    def _update_dtr_state(self) -> None:
        self.told.append(("dtr", self._dtr_state))

    def _update_rts_state(self) -> None:
        self.told.append(("rts", self._rts_state))


manage: Any = PortManager  # its annotations ask for more than it uses


@contextmanager
def rfc2217_server() -> Iterator[tuple[str, RecordingSerial]]:
    """Serve one client with pyserial's own end of RFC 2217; what it sends comes back."""
    port = RecordingSerial()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("wb", buffering=0) as out:
                manager = manage(port, out)
                with suppress(OSError):
                    while data := connection.recv(1024):
                        connection.sendall(b"".join(manager.escape(b"".join(manager.filter(data)))))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"rfc2217://127.0.0.1:{listener.getsockname()[1]}", port
        finally:
            thread.join(20)
            port.close()


@pytest.mark.parametrize("state", [False, True])
def test_server_hears_of_the_chosen_state_only(state: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A port behind RFC 2217 is never told another state of DTR and RTS than the profile's."""
    with (
        rfc2217_server() as (url, port),
        Console.open(
            Endpoint(role="console", url=url, dtr=state, rts=state), name="far", directory=None
        ) as console,
    ):
        console.write(b"ping\n")
        console.expect("ping", timeout=20, reason="the server sends back what it gets")
        told = list(port.told)

    assert set(told) == {("dtr", state), ("rts", state)}


@pytest.mark.parametrize("state", [False, True])
def test_device_is_opened_in_the_chosen_state(state: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - a parameter of the test
    """A local port is given no other state of DTR and RTS than the profile's, from its opening on."""
    told: list[tuple[str, bool]] = []
    monkeypatch.setattr(
        serial.Serial, "_update_dtr_state", lambda port: told.append(("dtr", port._dtr_state))
    )
    monkeypatch.setattr(
        serial.Serial, "_update_rts_state", lambda port: told.append(("rts", port._rts_state))
    )
    near, far = pty.openpty()
    try:
        endpoint = Endpoint(role="console", url=os.ttyname(far), dtr=state, rts=state)
        Console.open(endpoint, name="here", directory=None).close()
    finally:
        os.close(near)
        os.close(far)

    assert set(told) == {("dtr", state), ("rts", state)}
