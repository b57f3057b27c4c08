"""The firmware's settings storage: key and value texts that stay without power."""

from __future__ import annotations

from harness_nordic.virtual.power import AFTER_FLASH, BEFORE_FLASH, BoardPoints

#: Zephyr's limits: eight parts of a name of eight characters, and 256 bytes of value.
LONGEST_KEY = 64
LONGEST_VALUE = 256
INVALID_ARGUMENT = 22


class SettingRefused(Exception):
    """A pair cannot be stored.

    :ivar number: the errno, positive.
    """

    def __init__(self, number: int) -> None:
        """Keep the number."""
        self.number = number
        super().__init__(f"errno {number}")


class FirmwareSettings:
    """Key-value pairs."""

    def __init__(self, points: BoardPoints | None = None) -> None:
        """Hold nothing.

        :param points: where the power may go.
        """
        self._points = points or BoardPoints()
        self._pairs: dict[str, str] = {}

    def save(self, key: str, value: str) -> None:
        """Store one pair.

        :raises SettingRefused: the key is empty, or key or value is too long.
        """
        if not key or len(key) > LONGEST_KEY or len(value) > LONGEST_VALUE:
            raise SettingRefused(INVALID_ARGUMENT)
        self._points.pass_by(BEFORE_FLASH, f"setting {key}")
        self._pairs[key] = value
        self._points.pass_by(AFTER_FLASH, f"setting {key}")

    def items(self) -> dict[str, str]:
        """Return all pairs."""
        return dict(self._pairs)
