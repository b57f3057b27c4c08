"""Break: what a Pelion device's old run logged until its end counts as the new run's."""

from __future__ import annotations

from harness_pelion.driver import MblDriver
from harness_pelion.driver_models import RESTART_CLIENT
from tests.breaks.support.patching import replaces

TITLE = "what a device's old run logged until its end counts as the new run's"
NOTICED_BY = ("tests/pelion/driver/test_driver.py::test_last_words_of_the_old_run_do_not_count",)
ABOUT = r"after == len"


@replaces(MblDriver, "restart_client")
def restart_client(self: MblDriver) -> int:
    """Tell the size before."""
    before = self.watched_log().size
    self.device.must(RESTART_CLIENT)
    return before
