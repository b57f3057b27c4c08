"""The real Allure on merged results: each test once, with what became of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.cli import report
from harness.merging.merge import merge
from harness.merging.runs import parse_source
from tests.merging.made_up_runs import MadeUpRun, result, write_allure
from tests.real_allure import data_of, installed_allure

if TYPE_CHECKING:
    from pathlib import Path

VERDICT = [{"name": "verdict", "value": "product"}]


def leave(directory: Path, run: MadeUpRun, number: int) -> str:
    """Leave results of a session of ``desk``; return the directory as it is named."""
    run.write(directory)
    for place, (name, came_to) in enumerate(run.tests.items()):
        start = int(run.began.timestamp() * 1000) + place
        status = {"passed": "passed", "not run": "unknown"}.get(came_to, "failed")
        document: dict[str, Any] = result(
            str(place),  # the same in each session
            f"tests.test_it#{name}",
            status=status,
            start=start,
            stop=start + number,
            labels=VERDICT if came_to == "failed product" else [],
            statusDetails={"message": came_to},
        )
        write_allure(directory, f"{place}-result.json", document)
    return f"desk={directory}"


@pytest.mark.skipif(installed_allure() is None, reason="Allure 3 is not installed (make report installs it)")
def test_page_of_merged_results(tmp_path: Path) -> None:
    """Attempts are one test with the outcome that stands, runners are apart, and no failure is covered up."""
    first = MadeUpRun(
        tests={"test_rig": "failed rig", "test_product": "failed product", "test_good": "passed"},
        run_id="aaaa",
    )
    again = MadeUpRun(
        tests={"test_rig": "passed", "test_product": "passed", "test_good": "not run"},
        run_id="bbbb",
        began=first.later(60),
    )
    shelf = MadeUpRun(tests={"test_rig": "passed"}, run_id="cccc")
    sources = [
        leave(tmp_path / "first", first, 1),
        leave(tmp_path / "again", again, 2),
        leave(tmp_path / "shelf", shelf, 3).removeprefix("desk="),
    ]

    made = merge([parse_source(source) for source in sources], tmp_path / "merged")
    report.report(tmp_path / "merged" / "allure-results", tmp_path / "page.html", installed_allure())

    page = (tmp_path / "page.html").read_text()
    statistic = data_of(page, "widgets/statistic.json")
    # One more than tests: what came after the failure of the product is beside it.
    assert (made.accounts.collected, made.accounts.passed, made.accounts.failed) == (4, 3, 1)
    assert (statistic["total"], statistic["passed"], statistic["failed"]) == (5, 4, 1)
    assert "product: the board did wrong" in json.dumps(data_of(page, "widgets/categories.json"))
    assert statistic["retries"] == 1
