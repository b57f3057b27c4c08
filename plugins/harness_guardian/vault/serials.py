"""Serial numbers as Vault writes them: pairs of hex digits with colons, in lists and paths also hyphens."""

from __future__ import annotations

import re

_SERIAL = re.compile(r"[0-9a-fA-F]{1,2}(?:[:-][0-9a-fA-F]{1,2})*|[0-9a-fA-F]{3,64}", re.ASCII)
_LONGEST = 200


def colon_serial(number: int) -> str:
    """Return a serial number in hex with colons."""
    length = max(1, (number.bit_length() + 7) // 8)
    return number.to_bytes(length, "big").hex(":")


def parse_serial(text: str) -> int | None:
    """Return the number that a text in hex says, with colons, hyphens or nothing in between.

    :return: ``None``: it says none.
    """
    if len(text) > _LONGEST or not _SERIAL.fullmatch(text):
        return None
    if ":" in text or "-" in text:
        return int("".join(part.rjust(2, "0") for part in re.split("[:-]", text)), 16)
    return int(text, 16)


def same_serial(left: str, right: str) -> bool:
    """Tell whether two texts say the same serial number."""
    number = parse_serial(left)
    return number is not None and number == parse_serial(right)
