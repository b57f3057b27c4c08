"""The pipelines that the documentation shows, run line by line on hosts of their own with virtual boards."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.history.store import History
from harness.merging.accounts import Accounts
from harness.merging.junit import read_report
from tests.farm.github_actions import GitHub
from tests.farm.gitlab import GitLab
from tests.farm.jenkins import Jenkins

if TYPE_CHECKING:
    from tests.farm.ci_hosts import Host

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "ci"
TESTS = 11  # of those files of the suite that these hosts see


def said(hosts: dict[str, Host]) -> str:
    """Return what all hosts printed, for failures."""
    return "\n".join(f"==== {name}\n{host.said}" for name, host in hosts.items())


def merged_of(directory: Path) -> dict[str, Any]:
    """Check that a merged directory is whole; return its accounts."""
    data: dict[str, Any] = json.loads((directory / "accounts.json").read_text())
    assert data["complaints"] == []
    report = read_report(directory / "junit.xml")
    assert report.accounts == Accounts(**{k: v for k, v in data["accounts"].items() if k != "collected"})
    attempts = TESTS + sum(run["again"] for run in data["runs"])
    assert len(list((directory / "allure-results").glob("*-result.json"))) == attempts
    with History(directory / "history.sqlite3", read_only=True) as history:
        assert {attempt.outcome for attempt in history.attempts()} == {"passed"}
    return data


def check_whole(directory: Path, hosts: dict[str, Host]) -> None:
    """Check that all tests are in it, each once, from two shards."""
    data = merged_of(directory)
    assert data["accounts"]["collected"] == data["accounts"]["passed"] == TESTS, said(hosts)
    assert len(data["runs"]) == 2
    assert all(run["accounts"]["collected"] > 0 for run in data["runs"])


def test_github_actions(tmp_path: Path) -> None:
    """Two runners, one report; what they came to is known to the next run, and a re-run is a repetition."""
    github = GitHub(directory=tmp_path)
    github.run(EXAMPLES / "github-actions.yml")

    assert github.results == {"boards": True, "merge": True}, said(github.hosts)
    check_whole(github.artifacts / "merged-attempt-1", github.hosts)
    assert "durations known of 0 of" in github.hosts["boards 1 rig-desk"].said

    again = replace(github, attempt=2)
    again.run(EXAMPLES / "github-actions.yml", only="boards 1 rig-desk")

    assert again.results == {"boards": True, "merge": True}, said(again.hosts)
    data = merged_of(again.artifacts / "merged-attempt-2")
    assert data["accounts"]["passed"] == TESTS
    first, repeated, second = sorted(data["runs"], key=lambda run: run["name"])
    assert (first["accounts"]["collected"], first["again"]) == (0, repeated["accounts"]["collected"])
    assert second["again"] == repeated["again"] == 0
    number = repeated["accounts"]["collected"]
    assert f"durations known of {number} of {number} tests" in again.hosts["boards 1 rig-desk"].said


def test_gitlab(tmp_path: Path) -> None:
    """Two jobs of one name, one report."""
    gitlab = GitLab(directory=tmp_path)
    gitlab.run(EXAMPLES / "gitlab-ci.yml")

    assert gitlab.results == {"boards": True, "merge": True}, said(gitlab.hosts)
    check_whole(tmp_path / "artifacts" / "merged", gitlab.hosts)
    assert (tmp_path / "caches" / "provisioning-history" / "merged" / "history.sqlite3").is_file()


def test_jenkins(tmp_path: Path) -> None:
    """Two agents, one report; the next build on them, of a broken product, is red and has one, too."""
    jenkins = Jenkins(directory=tmp_path / "1")
    jenkins.run(EXAMPLES / "Jenkinsfile")

    assert jenkins.good, said(jenkins.hosts)
    check_whole(tmp_path / "1" / "archive" / "merged", jenkins.hosts)

    broken = {"HARNESS_PLUGINS": "tests.breaks.block_ignored", "PYTHONPATH": str(EXAMPLES.parents[2])}
    following = Jenkins(directory=tmp_path / "2", hosts=jenkins.hosts, variables=broken)
    following.run(EXAMPLES / "Jenkinsfile")

    assert not following.good, said(following.hosts)
    merged = tmp_path / "2" / "archive" / "merged"
    data = json.loads((merged / "accounts.json").read_text())
    assert data["complaints"] == []
    assert data["accounts"]["collected"] == TESTS
    assert data["accounts"]["failed"] > 0
    with History(merged / "history.sqlite3", read_only=True) as history:
        assert len(history.sessions) == 4
