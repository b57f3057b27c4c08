"""Break: an item of the key store lacks its last byte."""

from __future__ import annotations

from harness_pelion.enums import Item
from harness_pelion.virtual.kcm import Kcm
from tests.breaks.support.patching import existing, replaces
from tests.breaks.support.pelion import be_impatient

TITLE = "the key store drops the last byte of a text"
EXPECTED = (
    "test_injection.py::test_store_holds_what_was_given",
    "test_evidence.py::test_each_link_holds[items]",
)
ABOUT = r"sha256|another than was given"

before = existing(Kcm, "store")
be_impatient()


@replaces(Kcm, "store")
def store(self: Kcm, name: str, data: bytes, *, factory: bool = False) -> None:
    """Take a text for one with a zero at its end."""
    before(self, name, data[:-1] if name == Item.MANUFACTURER else data, factory=factory)
