"""Serial ports that belong to no board: what is known of each, why nobody knows it, and what helps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.inventory.profiles import Profile
    from harness.inventory.serial_ports import SerialPort

# In the order in which they are judged: who fits more of them comes nearer.
_KEYS = ("vid", "pid", "serial_prefixes", "manufacturer", "product", "properties", "ancestors")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """A serial port that belongs to no board.

    :ivar port: the port, with all that is known of it.
    :ivar reason: why no profile fits.
    :ivar advice: what to say, and where, so that it is known.
    """

    port: SerialPort
    reason: str
    advice: str

    @property
    def device(self) -> str:
        """Its path."""
        return self.port.device

    @property
    def usb(self) -> str | None:
        """Vendor id, product id and serial number; ``None`` when it is not on USB."""
        port = self.port
        if port.vid is None or port.pid is None:
            return None
        return f"{port.vid:04x}:{port.pid:04x}" + (f" {port.serial_number}" if port.serial_number else "")

    def __str__(self) -> str:
        """Say it for a person."""
        known = " ".join(filter(None, (self.usb, self.port.product)))
        return f"{self.device}{f' ({known})' if known else ''}: {self.reason}; {self.advice}"


def stranger(profiles: Iterable[Profile], port: SerialPort) -> Stranger:
    """Say what there is to say of a port that is nobody's.

    :param profiles: the kinds that it could be of.
    :param port: the port.
    """
    return Stranger(port=port, reason=_why_not(profiles, port), advice=_advice(port))


def _why_not(profiles: Iterable[Profile], port: SerialPort) -> str:
    """Say why no profile fits a port; the matches that come nearest say it."""
    if port.vid is None:
        return "is not on USB"
    judged = []
    for profile in profiles:
        for match in profile.usb:
            fits = match.judge(port)
            wrong = next((key for key, fit in fits.items() if not fit), None)
            if wrong is not None:
                judged.append((list(fits).index(wrong), wrong, profile.title))
    if not judged:
        return "no profile is looked for on USB"
    closest = max(matched for matched, _, _ in judged)
    key = max((key for matched, key, _ in judged if matched == closest), key=_KEYS.index)
    if closest == 0:  # where nothing fits, the maker tells most
        key = "vid"
    titles = [title for matched, wrong, title in judged if (matched, wrong) == (closest, key)]
    return _unlike(key, ", ".join(dict.fromkeys(titles)), port)


def _unlike(key: str, titles: str, port: SerialPort) -> str:
    reasons = {
        "vid": f"no profile has the vendor id {port.vid or 0:04x}",
        "pid": f"no profile has the product id {port.pid or 0:04x} of the vendor {port.vid or 0:04x}",
        "serial_prefixes": f"its serial number begins as that of none of {titles}"
        if port.serial_number
        else f"shows no serial number, by which {titles} would be known",
        "properties": f"what udev says of it fits none of {titles}",
        "ancestors": f"what it is plugged into fits none of {titles}",
    }
    return reasons.get(key, f"its {key} fits none of {titles}")


def _advice(port: SerialPort) -> str:
    """Say what makes the port known: a profile of its kind, or an entry of the rig file."""
    if port.vid is None:
        return f'if a board is behind it: rig.toml, id, profile and endpoints.console = "{port.device}"'
    if port.serial_number:
        found_by = f'usb_serial = "{port.serial_number}"'
    elif port.location:
        found_by = f'id and location = "{port.location}"'
    else:
        found_by = f'id and endpoints.console = "{port.device}"'
    return (
        f"if a board is behind it: rig.toml, {found_by} and its profile"
        f" ('harness profile new {port.device}' drafts one)"
    )
