"""The auto-reset circuit of the USB lab, judged by Espressif's own, unmodified esptool."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.virtual.contract import UsbPresentation, VirtualKind

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
ESPTOOL = "esptool==5.6.0"
INSTALL_SECONDS = 300

KIND = VirtualKind(
    kind="rom",
    factory="rom_board:make",
    usb=UsbPresentation(
        vendor_id=0x10C4,
        product_id=0xEA60,
        manufacturer="Silicon Labs",
        product="CP2102N USB to UART Bridge Controller",
        serial="{number}",
        interfaces={"console": 0},
        port_driver="cp210x",
    ),
)


@pytest.fixture(scope="module")
def esptool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment with esptool alone: what it depends on does not suit everybody."""
    place = tmp_path_factory.mktemp("esptool")
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, timeout=INSTALL_SECONDS)
    python = place / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ESPTOOL]
    subprocess.run(pip, check=True, timeout=INSTALL_SECONDS)
    return python


def test_esptool_resets_into_the_loader_and_back(
    esptool: Path, usb_lab_factory: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its default reset it talks to the loader and starts the application again; without, to nobody."""
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "rom_board.py").symlink_to(HERE.parent / "virtual" / "usb" / "rom_board.py")
    monkeypatch.syspath_prepend(str(modules))
    with usb_lab_factory(tmp_path, extra_kinds=[KIND]) as lab:
        lab.client.add("rom", id="r", usb={"auto_reset": True})

        def read_mac(before: str) -> subprocess.CompletedProcess[str]:
            ran: subprocess.CompletedProcess[str] = lab.run(
                [
                    *(str(esptool), "-m", "esptool", "--chip", "esp32", "--port", "/dev/ttyUSB0"),
                    *("--before", before, "--no-stub", "--connect-attempts", "2", "read-mac"),
                ]
            )
            return ran

        refused = read_mac("no-reset")
        assert refused.returncode == 2
        assert "No serial data received" in refused.stdout + refused.stderr
        assert lab.client.board("r").call("boots") == ["application"]

        found = read_mac("default-reset")
        assert found.returncode == 0, found.stdout
        assert "24:0a:c4:01:02:03" in found.stdout
        assert lab.client.board("r").call("boots") == ["application", "loader", "application"]
