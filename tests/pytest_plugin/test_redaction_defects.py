"""Each defect of redaction is noticed by the search over what a session leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pytest_plugin.leaks.defects import DEFECTS
from tests.pytest_plugin.leaks.search import found_in
from tests.pytest_plugin.leaks.sessions import run_session

if TYPE_CHECKING:
    from pathlib import Path

HOOK = ["-k", "test_ids or (test_leaks and hook)", "-v"]
#: Where each defect lets a secret through: arguments of the session, the secret, the sink.
ALONE = {
    "base64_forgotten": (HOOK, "hook", "terminal"),
    "hex_forgotten": (HOOK, "hook", "terminal"),
    "escapes_forgotten": (HOOK, "hook", "terminal"),
    "pieces_forgotten": (HOOK, "hook", "terminal"),
    "each_read_alone": ([*HOOK, "-s"], "hook", "terminal"),
    "workers_keep_theirs": (["-k", "test_dies", "-n", "2"], "crash", "terminal"),
}
#: Those that let it through to one sink alone, which one session shows all together.
TOGETHER = {
    "junit_before_redaction": "junit.xml",
    "attachments_bypass_it": "allure attachments",
    "results_bypass_it": "allure results",
    "warnings_forgotten": "warnings.txt",
    "terminal_forgotten": "terminal",
    "log_file_forgotten": "log.txt",
    "cache_forgotten": "cache",
    "reports_of_others_forgotten": "reports.jsonl",
}


def test_every_defect_is_tried() -> None:
    """No defect is left out."""
    assert {*ALONE, *TOGETHER, "environment_handed_on"} == set(DEFECTS)


@pytest.mark.parametrize("defect", ALONE)
def test_defect_is_noticed(tmp_path: Path, defect: str) -> None:
    """With the defect the search finds the secret where the defect lets it through."""
    arguments, canary, sink = ALONE[defect]
    (tmp_path / "suite").mkdir()

    left = run_session(tmp_path / "suite", arguments, defects=[defect])

    assert canary in left.canaries, left.sinks["terminal"].decode()[-3000:]
    assert canary in found_in(left.sinks[sink], left.canaries)


def test_defects_of_one_sink_are_noticed(tmp_path: Path) -> None:
    """With the defects the search finds the secret in each sink, and the key in the environment of others."""
    (tmp_path / "suite").mkdir()

    left = run_session(tmp_path / "suite", HOOK, defects=[*TOGETHER, "environment_handed_on"])

    assert "hook" in left.canaries, left.sinks["terminal"].decode()[-3000:]
    unnoticed = {
        defect: sink
        for defect, sink in TOGETHER.items()
        if "hook" not in found_in(left.sinks[sink], left.canaries)
    }
    assert unnoticed == {}
    key = f"NRFCLOUD_API_KEY={left.canaries['environment']}".encode()
    assert any(key in each.split(b"\0") for each in left.environments)
