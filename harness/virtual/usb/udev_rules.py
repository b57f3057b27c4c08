"""What udev's own rules make of a USB device: its ``ID_*`` properties and the links to its ttys.

After ``usb_id``, ``path_id`` and ``60-serial.rules`` of systemd 252. Pure.
"""

from __future__ import annotations

import re

# What usb_id leaves as it is in a name; everything else becomes '_'.
_ALLOWED = re.compile(r"[^0-9A-Za-z#+\-.:=@_]")
_UNENCODED = re.compile(r"[0-9A-Za-z#+\-.:=@_]")


def plain(text: str) -> str:
    """Return a text as udev puts it into names: runs of white space and unfit characters become ``_``."""
    return _ALLOWED.sub("_", re.sub(r"\s+", "_", text.strip()))


def encoded(text: str) -> str:
    """Return a text as udev encodes it losslessly: unfit bytes become hexadecimal escapes."""
    return "".join(
        char if _UNENCODED.match(char) or ord(char) > 0x7F else f"\\x{ord(char):02x}"  # noqa: PLR2004 - ASCII ends here
        for char in text
    )


def usb_id(
    *,
    vendor_id: int,
    product_id: int,
    revision: int,
    manufacturer: str | None,
    product: str | None,
    serial: str | None,
    interfaces: str,
) -> dict[str, str]:
    """Return what ``usb_id`` finds out about a device.

    :param vendor_id: ``idVendor``.
    :param product_id: ``idProduct``.
    :param revision: ``bcdDevice``.
    :param manufacturer: its string; ``None``: it has none.
    :param product: likewise.
    :param serial: likewise.
    :param interfaces: class, subclass and protocol of each interface, ``:020201:0a0000:``.
    """
    vendor_hex, model_hex = f"{vendor_id:04x}", f"{product_id:04x}"
    vendor = plain(manufacturer) if manufacturer else vendor_hex
    model = plain(product) if product else model_hex
    found = {
        "VENDOR": vendor,
        "VENDOR_ENC": encoded(manufacturer) if manufacturer else vendor_hex,
        "VENDOR_ID": vendor_hex,
        "MODEL": model,
        "MODEL_ENC": encoded(product) if product else model_hex,
        "MODEL_ID": model_hex,
        "REVISION": f"{revision:04x}",
        "SERIAL": f"{vendor}_{model}",
    }
    if serial:
        found["SERIAL"] += f"_{plain(serial)}"
        found["SERIAL_SHORT"] = plain(serial)
    both = {f"ID_{key}": value for key, value in found.items()}
    both |= {f"ID_USB_{key}": value for key, value in found.items()}
    return {"ID_BUS": "usb", **both, "ID_USB_INTERFACES": interfaces}


def id_path(pci: str, port: str, interface: str | None = None) -> dict[str, str]:
    """Return what ``path_id`` finds out.

    :param pci: address of the host controller, ``0000:00:14.0``.
    :param port: the hub port chain, ``1-1.2``; its bus number does not count.
    :param interface: configuration and number of the interface, ``1.0``; ``None``: the device itself.
    """
    path = f"pci-{pci}-usb-0:{port.partition('-')[2]}"
    if interface is not None:
        path += f":{interface}"
    return {"ID_PATH": path, "ID_PATH_TAG": re.sub(r"[^0-9A-Za-z-]", "_", path)}


def serial_links(properties: dict[str, str], bridge_port: int | None) -> tuple[str, str]:
    """Return the links to a tty, below ``/dev``: by identity and by path.

    :param properties: the tty's.
    :param bridge_port: number of the port on a usb-serial bridge; ``None``: not one.
    """
    suffix = "" if bridge_port is None else f"-port{bridge_port}"
    number = properties["ID_USB_INTERFACE_NUM"]
    return (
        f"serial/by-id/usb-{properties['ID_SERIAL']}-if{number}{suffix}",
        f"serial/by-path/{properties['ID_PATH']}{suffix}",
    )
