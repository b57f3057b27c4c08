"""Ports of USB devices, as tests write them down."""

from __future__ import annotations

from harness.inventory.serial_ports import SerialPort

SEGGER = 0x1366


def usb_port(
    device: str,
    vid: int | None = None,
    pid: int | None = None,
    serial_number: str | None = None,
    location: str | None = None,
    interface: int | None = None,
    product: str | None = None,
) -> SerialPort:
    """Return a port."""
    return SerialPort(
        device=device,
        vid=vid,
        pid=pid,
        serial_number=serial_number,
        location=location,
        interface=interface,
        product=product,
    )
