"""Who is asked is whose port was listed, and not what has got its name since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import BoardLost
from harness.inventory import serial_ports
from harness.inventory.board import USB_LOCATION, USB_SERIAL, Board, Endpoint
from harness.inventory.identity import ConsoleOnDemand
from harness.inventory.serial_ports import SerialPort
from tests.console.conftest import PtyBoard

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def far() -> Iterator[PtyBoard]:
    """What is at the port."""
    far = PtyBoard()
    yield far
    far.close()


def port(path: str, serial: str | None, location: str) -> SerialPort:
    """Describe what has a name now."""
    return SerialPort(device=path, serial_number=serial, location=location, interface=0)


@pytest.mark.parametrize("looks", [1, 2], ids=["before it is opened", "while it is opened"])
@pytest.mark.parametrize(("serial", "location"), [(None, "1-1.1"), ("7", "4-1")])
def test_name_that_another_device_got_is_not_written_to(
    far: PtyBoard, monkeypatch: pytest.MonkeyPatch, looks: int, serial: str | None, location: str
) -> None:
    """A stranger in its place, or its twin elsewhere, hears nothing, whenever it got the name."""
    mine, others = port(far.path, "7", "1-1.1"), port(far.path, serial, location)
    seen = iter([mine] * (looks - 1) + [others] * 2)
    monkeypatch.setattr(serial_ports, "port_at", lambda _path: next(seen))
    heard: list[bytes] = []
    far.answer(lambda line: heard.append(line) or b"OK\r\n")  # type: ignore[func-returns-value]  # it appends
    board = Board(
        id="7",
        kind="lamp",
        driver="lamp",
        properties={USB_SERIAL: "7", USB_LOCATION: "1-1.1"},
        ports={far.path: 0},
    )
    console = ConsoleOnDemand(Endpoint(role="console", url=far.path), "b", 5, board)

    with pytest.raises(BoardLost, match="is another device's by now"):
        console.write(b"AT\r\n")

    console.close()
    assert heard == []
