"""Taking down fixtures when another test is next than was told when the last one ended."""

from __future__ import annotations

import pytest


def tear_down_before(following: pytest.Item | None, *, last: pytest.Item) -> pytest.TestReport | None:
    """Take down the fixtures that the next test does not use.

    :param following: the next test; ``None`` when there is none.
    :param last: the test that ran last, which a failure is blamed on, as pytest would have done.
    :return: the report of a failure; ``None`` when there is none.
    """

    def tear_down() -> None:
        last.session._setupstate.teardown_exact(following)

    call = pytest.CallInfo.from_call(tear_down, when="teardown", reraise=(pytest.exit.Exception,))
    return None if call.excinfo is None else pytest.TestReport.from_item_and_call(last, call)
