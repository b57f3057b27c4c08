"""A pipeline of GitLab CI run on this machine: stages, jobs side by side, caches and artifacts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from tests.farm.ci_hosts import Host, at_once, copy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_KEYWORDS = {"stages", "default"}
_BASH = ("bash", "-eo", "pipefail", "-c")


@dataclass(kw_only=True)
class GitLab:
    """What is behind the hosts: caches and artifacts.

    :ivar results: whether each job succeeded.
    """

    directory: Path
    hosts: dict[str, Host] = field(default_factory=dict)
    results: dict[str, bool] = field(default_factory=dict)

    def run(self, file: Path) -> None:
        """Run a pipeline."""
        pipeline: dict[str, Any] = yaml.safe_load(file.read_text())
        jobs = {
            name: job for name, job in pipeline.items() if name not in _KEYWORDS and not name.startswith(".")
        }
        assert {job["stage"] for job in jobs.values()} == set(pipeline["stages"])
        before = pipeline["default"]["before_script"]
        for stage in pipeline["stages"]:
            for name, job in jobs.items():
                if job["stage"] != stage or not (all(self.results.values()) or job.get("when") == "always"):
                    continue
                number = job.get("parallel", 1)
                instances = [
                    self._instance(name, job, before, index, number) for index in range(1, number + 1)
                ]
                self.results[name] = at_once(instances)

    def _instance(
        self, name: str, job: Mapping[str, Any], before: list[str], index: int, number: int
    ) -> Callable[[], bool]:
        title = name if number == 1 else f"{name} {index}/{number}"
        host = self.hosts[title] = Host(directory=self.directory / f"{name}-{index}")
        variables = {"CI": "true", "CI_NODE_INDEX": str(index), "CI_NODE_TOTAL": str(number)}

        def run() -> bool:
            cache = job["cache"]
            if "pull" in cache["policy"]:
                self._copy(self.directory / "caches" / cache["key"], host.workspace, cache["paths"])
            if (self.directory / "artifacts").exists():  # of all jobs of the stages before
                copy(self.directory / "artifacts", host.workspace)
            done = host.run(_BASH, "\n".join([*before, *job["script"]]), variables)
            if "push" in cache["policy"] and (done or cache.get("when") == "always"):
                self._copy(host.workspace, self.directory / "caches" / cache["key"], cache["paths"])
            if done or job["artifacts"].get("when") == "always":
                self._copy(host.workspace, self.directory / "artifacts", job["artifacts"]["paths"])
            reports = job["artifacts"].get("reports", {})
            assert not reports or list(host.workspace.glob(reports["junit"]))
            return done

        return run

    @staticmethod
    def _copy(source: Path, target: Path, paths: list[str]) -> None:
        for path in paths:
            if (source / path).exists():
                copy(source / path, target / path)
