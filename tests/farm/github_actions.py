"""A workflow of GitHub Actions run on this machine: jobs, matrix, conditions, and some actions."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from tests.farm.ci_hosts import Host, at_once, copy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
_BASH = ("bash", "-e", "-c")


@dataclass(kw_only=True)
class GitHub:
    """What is behind the hosts: caches and artifacts; and the number of this try.

    :ivar attempt: of the run: re-running failed jobs makes it one more.
    """

    directory: Path
    attempt: int = 1
    hosts: dict[str, Host] = field(default_factory=dict)
    results: dict[str, bool] = field(default_factory=dict)
    _caches: list[tuple[str, Path]] = field(default_factory=list)

    @property
    def artifacts(self) -> Path:
        """Where the artifacts of the run are."""
        return self.directory / "artifacts"

    def run(self, workflow: Path, *, only: str | None = None) -> None:
        """Run a workflow.

        :param workflow: its file.
        :param only: name of the one instance of the first job that is to be run again.
        """
        jobs: dict[str, Any] = yaml.safe_load(workflow.read_text())["jobs"]
        for name, job in jobs.items():
            before = [need for need in _list(job.get("needs", [])) if not self.results[need]]
            if before and not self._holds(job.get("if"), good=False):
                continue
            matrix = job.get("strategy", {}).get("matrix", {"include": [{}]})
            assert list(matrix) == ["include"]
            instances = [
                (" ".join([name, *map(str, values.values())]), values) for values in matrix["include"]
            ]
            chosen = [each for each in instances if only in {None, each[0]} or len(instances) == 1]
            self.results[name] = at_once([self._instance(job, *each) for each in chosen])

    def _instance(self, job: Mapping[str, Any], name: str, matrix: Mapping[str, Any]) -> Callable[[], bool]:
        place = self.directory / f"{name.replace(' ', '-')}-{self.attempt}"
        host = self.hosts[name] = Host(directory=place)

        def run() -> bool:
            good = True
            for step in job["steps"]:
                if not self._holds(step.get("if"), good=good):
                    continue
                told = {key: self._filled(str(value), matrix) for key, value in step.get("with", {}).items()}
                if "run" in step:
                    done = host.run(_BASH, self._filled(step["run"], matrix), {"CI": "true"})
                else:
                    done = self._actions[step["uses"]](self, host, told)
                good = good and done
            return good

        return run

    @staticmethod
    def _holds(condition: str | None, *, good: bool) -> bool:
        if condition is None:
            return good
        assert condition == "${{ !cancelled() }}", condition
        return True

    def _filled(self, text: str, matrix: Mapping[str, Any]) -> str:
        known = {
            "github.run_id": "7001",
            "github.run_attempt": str(self.attempt),
            **{f"matrix.{key}": str(value) for key, value in matrix.items()},
        }
        return _EXPRESSION.sub(lambda found: known[found[1]], text)

    # -- actions -------------------------------------------------------------------------------------------

    def _restore(self, host: Host, told: Mapping[str, str]) -> bool:
        """Restore the newest cache whose key begins so, if there is any."""
        for key, content in reversed(self._caches):
            if key == told["key"] or key.startswith(told["restore-keys"]):
                copy(content, host.workspace / told["path"])
                return True
        return True

    def _save(self, host: Host, told: Mapping[str, str]) -> bool:
        assert told["key"] not in dict(self._caches), "a cache is never changed"
        content = self.directory / "caches" / told["key"]
        copy(host.workspace / told["path"], content)
        self._caches.append((told["key"], content))
        return True

    def _upload(self, host: Host, told: Mapping[str, str]) -> bool:
        target = self.artifacts / told["name"]
        assert not target.exists(), "the name of an artifact is there once in a run"
        source = host.workspace / told["path"]
        if source.exists():
            copy(source, target)
        return source.exists() or told["if-no-files-found"] != "error"

    def _download(self, host: Host, told: Mapping[str, str]) -> bool:
        for artifact in sorted(self.artifacts.iterdir()):
            if fnmatch.fnmatchcase(artifact.name, told["pattern"]):
                copy(artifact, host.workspace / told["path"] / artifact.name)
        return True

    _actions: dict[str, Callable[[GitHub, Host, Mapping[str, str]], bool]] = field(
        default_factory=lambda: {
            "actions/cache/restore@v4": GitHub._restore,
            "actions/cache/save@v4": GitHub._save,
            "actions/upload-artifact@v4": GitHub._upload,
            "actions/download-artifact@v4": GitHub._download,
        }
    )


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
