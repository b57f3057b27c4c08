"""Directories as sessions leave them, made up."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from harness.merging.junit import NOT_RUN
from harness.merging.merge import Merged, merge
from harness.merging.runs import parse_source
from harness.sharding import Share, digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TESTS = [f"test_{number}" for number in range(5)]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_TAGS = {"failed": "failure", "error": "error", "skipped": "skipped", "not run": "skipped"}


def share(part: int, parts: int, tests: Sequence[str], *, taken: int, own: int = 0) -> Share:
    """Return a share of a collection."""
    return Share(part=part, parts=parts, taken=taken, tests=len(tests), digest=digest_of(tests), own=own)


@dataclass(kw_only=True)
class MadeUpRun:
    """What a session may have left.

    :ivar tests: by name what each came to: ``passed``, ``failed``, ``failed rig`` with a verdict, ``error``,
        ``skipped`` or ``not run``.
    """

    tests: Mapping[str, str]
    run_id: str = ""
    share: Share | None = None
    began: datetime = NOON
    seconds: float = 10.0
    properties: dict[str, str] = field(default_factory=dict)

    def junit(self) -> ET.Element:
        """Return its report."""
        root = ET.Element("testsuites", name="pytest tests")
        suite = ET.SubElement(root, "testsuite", name="pytest", hostname="here")
        suite.set("time", f"{self.seconds:.3f}")
        suite.set("timestamp", self.began.isoformat())
        properties = dict(self.properties)
        if self.run_id:
            properties["run_id"] = self.run_id
        if self.share is not None:
            properties["shard"] = str(self.share)
        listed = ET.SubElement(suite, "properties")
        for name, value in properties.items():
            ET.SubElement(listed, "property", name=name, value=value)
        counts = dict.fromkeys(("failure", "error", "skipped"), 0)
        for name, came_to in self.tests.items():
            outcome, _, verdict = came_to.partition(" ")
            outcome = "not run" if came_to == "not run" else outcome
            case = ET.SubElement(suite, "testcase", classname="tests.test_it", name=name, time="0.5")
            if outcome in {"failed", "error"} and verdict:
                of_case = ET.SubElement(case, "properties")
                ET.SubElement(of_case, "property", name="verdict", value=verdict)
            if outcome in _TAGS:
                counts[_TAGS[outcome]] += 1
                problem = ET.SubElement(case, _TAGS[outcome], message=f"{name} {came_to}")
                problem.text = "why"
                if outcome == "not run":
                    problem.set("type", NOT_RUN)
        suite.set("tests", str(len(self.tests)))
        suite.set("failures", str(counts["failure"]))
        suite.set("errors", str(counts["error"]))
        suite.set("skipped", str(counts["skipped"]))
        return root

    def write(self, directory: Path) -> Path:
        """Write its report; return the directory."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "junit.xml").write_bytes(
            ET.tostring(self.junit(), encoding="utf-8", xml_declaration=True)
        )
        return directory

    def later(self, seconds: float) -> datetime:
        """Return a moment after its end."""
        return self.began + timedelta(seconds=self.seconds + seconds)


def write_allure(directory: Path, name: str, document: Mapping[str, Any]) -> None:
    """Write a document of Allure into the results of a directory."""
    results = directory / "allure-results"
    results.mkdir(parents=True, exist_ok=True)
    (results / name).write_text(json.dumps(document), encoding="utf-8")


def result(uuid: str, test: str = "tests.test_it#test_one", **more: Any) -> dict[str, Any]:
    """Return an Allure result."""
    return {
        "uuid": uuid,
        "name": test,
        "fullName": test,
        "historyId": f"history of {test}",
        "testCaseId": f"case of {test}",
        "status": "passed",
        "start": 1,
        "stop": 2,
        **more,
    }


def documents(directory: Path, kind: str = "result") -> list[dict[str, Any]]:
    """Read all documents of a directory of Allure results."""
    files = sorted(directory.glob(f"*-{kind}.json"))
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def merged(tmp_path: Path, *directories: Path | str) -> Merged:
    """Merge directories into ``merged``."""
    return merge([parse_source(str(each)) for each in directories], tmp_path / "merged")
