"""What lists of choices in the pages are made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One thing that may be chosen.

    :ivar value: what the form sends.
    :ivar text: what is read.
    :ivar chosen: whether it is chosen now.
    """

    value: str
    text: str
    chosen: bool = False
