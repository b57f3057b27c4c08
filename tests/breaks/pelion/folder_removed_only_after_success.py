"""Break: the temporary folder stays when the utility fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.driver_steps import RemoteDevice
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_pelion.driver_models import Outcome

TITLE = "the temporary folder is removed only after a success"
EXPECTED = (
    "test_injection.py::test_developer_file_is_missing[*",
    "test_injection.py::test_store_refuses_update_certificate[*",
)
ABOUT = r"folder"

run, remove = existing(RemoteDevice, "run_provisioning"), existing(RemoteDevice, "remove_folder")
FAILED: set[int] = set()


@replaces(RemoteDevice, "run_provisioning")
def run_provisioning(self: RemoteDevice) -> Outcome:
    """Remember how it ended."""
    outcome: Outcome = run(self)
    FAILED.discard(id(self))
    FAILED.update(set() if outcome.ok else {id(self)})
    return outcome


@replaces(RemoteDevice, "remove_folder")
def remove_folder(self: RemoteDevice) -> None:
    """Leave it for whoever looks for the cause."""
    if id(self) not in FAILED:
        remove(self)
