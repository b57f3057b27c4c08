"""Break: what the tests of a module share is taken down after each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin import worker_loop
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    import pytest

TITLE = "what the tests of a module share is taken down after each of them"
NOTICED_BY = ("tests/pytest_plugin/test_worker_loop.py::test_a_test_begins_before_the_next_one_is_known",)
ABOUT = r"worker\.run\(\) == "


@replaces(worker_loop, "somebody_like")
def somebody_like(item: pytest.Item) -> pytest.Item | None:
    """Believe that nobody follows when nobody is known."""
    del item
    return None
