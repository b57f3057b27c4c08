"""Break: a device takes its endpoint name for the id that it was given."""

from __future__ import annotations

from harness_pelion.enums import Item
from harness_pelion.virtual.bootstrap import Bootstrap
from tests.breaks.support.patching import existing, replaces
from tests.breaks.support.pelion import be_impatient

TITLE = "a device does not take its id from the certificate that it was given"
EXPECTED = (
    "test_evidence.py::test_device_is_registered",
    "test_evidence.py::test_each_link_holds[registration]",
)
ABOUT = r"the device says that it is"

before = existing(Bootstrap, "results")
be_impatient()


@replaces(Bootstrap, "results")
def results(self: Bootstrap) -> dict[str, bytes]:
    """Be called as before."""
    return {**before(self), Item.INTERNAL_ENDPOINT: self._endpoint_name.encode()}
