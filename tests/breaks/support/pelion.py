"""Breaks of Pelion of one kind: what is missing is not missed; and patience that a break does not need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion import evidence
from harness_pelion.attempting import Attempts
from harness_pelion.virtual import fcc
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.enums import Item
    from harness_pelion.virtual.kcm import Kcm

#: Seconds within which a board that is whole is registered, many times over.
ENOUGH = 3.0


def be_impatient() -> None:
    """Let the chain of evidence be waited for shortly: a link that a break has broken never holds."""
    for function in (existing(Attempts, "__call__"), evidence.collect):
        function.__kwdefaults__ = {**(function.__kwdefaults__ or {}), "timeout": ENOUGH}


def do_not_miss(missed: Item, instead: bytes) -> None:
    """Let a device be configured although an item is missing.

    :param missed: the item.
    :param instead: what is taken for its content.
    """
    before = existing(fcc, "_existing")

    @replaces(fcc, "_existing")
    def _existing(kcm: Kcm, item: Item, *, may_be_empty: bool = False) -> bytes:
        if item == missed and kcm.get(item) is None:
            return instead
        content: bytes = before(kcm, item, may_be_empty=may_be_empty)
        return content
