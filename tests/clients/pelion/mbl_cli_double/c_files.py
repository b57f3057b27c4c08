"""C files as the public MBL CLI reads them: section 1.5 of the pelion fact sheet."""

from __future__ import annotations

DEVELOPER = ("#include <inttypes.h>", "MBED_CLOUD_DEV_")
UPDATE = ("#include <stdint.h>", "arm_uc_")


def parse_c(text: str, marker: str, prefix: str) -> dict[str, bytes]:
    """Return the bytes of each variable, the ``r`` at either end of a text lost."""
    _, body = text.strip().split(marker)
    found = {}
    for statement in body.split(";"):
        line = statement.replace("\n", "")
        if "=" not in line or "sizeof(" in line:
            continue
        left, right = line.split(" = ")
        if prefix not in left:
            raise ValueError(f"{left} var match not found.")
        name = left[left.index(prefix) :].replace("[]", "").replace(" ", "")
        found[name] = _value(right)
    return found


def _value(right: str) -> bytes:
    parts = right.replace('"', "").replace(" ", "").strip("{} \\r").split(",")
    if len(parts) > 1:
        return bytes(int(part, 16) for part in parts if part)
    return parts[0].encode()
