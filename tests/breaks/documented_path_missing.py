"""Break: the claim is not served under the path of the documented example."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.management import Management
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from starlette.routing import Route

TITLE = "the claim is not served under the path of the documented example"
EXPECTED = ("test_claiming.py::test_claim_on_the_documented_path",)
ABOUT = r"201"

before = existing(Management, "routes").fget


@replaces(Management, "routes")
def routes(self: Management) -> list[Route]:
    """Leave the second path out."""
    return [route for route in before(self) if not route.path.startswith("/v1/identities")]
