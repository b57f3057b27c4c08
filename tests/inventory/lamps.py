"""Boards on ptys that say who they are, listed as ports on USB; no other process sees them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from harness.inventory.board import Board, Endpoint
from harness.inventory.finding import Finder
from harness.inventory.serial_ports import SerialPort
from harness.plugins import HarnessPluginManager
from tests.console.conftest import PtyBoard
from tests.console.dialect import AT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LAMP = """
title = "Lamp"
vendor = "Acme"
driver = "lamp"
capabilities = []
[[usb]]
vid = 0x1209
pid = 0x0001
[endpoints.console]
interface = 0
"""
KETTLE = LAMP.replace("Lamp", "Kettle").replace("0x0001", "0x0002")


class Desk:
    """Some boards on ptys, as ports on USB.

    :ivar ports: what is listed.
    :ivar before_asking: called whenever a board is asked who it is.
    """

    def __init__(self, directory: Path) -> None:
        self.ports: list[SerialPort] = []
        self.before_asking: Callable[[], object] = object
        self.far: dict[str, PtyBoard] = {}
        self._resources = ExitStack()
        for name, text in (("lamp", LAMP), ("kettle", KETTLE)):
            (directory / f"{name}.toml").write_text(text)
        self.plugins = HarnessPluginManager()
        self.plugins.register(
            SimpleNamespace(
                harness_board_profiles=lambda: [directory], harness_identify_board=self._identify
            ),
            "acme",
        )

    def _identify(self, board: Board, console: Any) -> str | None:
        self.before_asking()
        if board.driver != "lamp":
            return None
        lines = console.command("WHO", AT, timeout=5).lines
        return lines[-1] if lines else None

    def plug(
        self,
        location: str,
        serial: str | None,
        says: str = "",
        *,
        pid: int = 1,
        interfaces: tuple[int, ...] = (0,),
    ) -> PtyBoard:
        """Plug a board in whose first port answers who it is; one that says nothing stays silent."""
        for number in interfaces:
            far = PtyBoard()
            self._resources.callback(far.close)
            self.ports.append(
                SerialPort(
                    device=far.path,
                    vid=0x1209,
                    pid=pid,
                    serial_number=serial,
                    location=location,
                    interface=number,
                )
            )
            self.far[f"{location}:{number}"] = far
        first = self.far[f"{location}:{interfaces[0]}"]
        if says:
            first.answer(lambda _line: f"{says}\r\nOK\r\n".encode())
        return first

    def unplug(self, location: str) -> None:
        self.ports = [port for port in self.ports if port.location != location]

    @property
    def finder(self) -> Finder:
        return Finder(self.plugins, lambda: self.ports)

    def close(self) -> None:
        self._resources.close()


def lamp(serial: str | None = "7", location: str = "1-1", **more: Any) -> Board:
    """A lamp with a console on interface 0, as it was last known."""
    facts = {"usb_location": location} | ({"usb_serial": serial} if serial else {})
    return replace(
        Board(
            id="lamp",
            kind="lamp",
            driver="lamp",
            endpoints={"console": Endpoint(role="console", url="/dev/ttyACM0", baud=9600)},
            properties=facts,
            ports={"/dev/ttyACM0": 0},
        ),
        **more,
    )
