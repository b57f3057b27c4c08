"""How the virtual modem says no."""

from __future__ import annotations


class AtError(Exception):
    """Answered ``ERROR``, whatever ``+CMEE`` says: an unknown or ill-formed command."""


class CmeRefusal(Exception):
    """Answered ``+CME ERROR: <number>`` when ``+CMEE`` is 1 (nrfcloud fact sheet, section 5.6)."""

    def __init__(self, number: int) -> None:
        """Keep the number."""
        self.number = int(number)
        super().__init__(f"+CME ERROR: {self.number}")
