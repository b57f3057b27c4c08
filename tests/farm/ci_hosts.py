"""The hosts of a CI, each a directory with an environment of its own, and what is run on them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.measuring import unmeasured

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: The pipelines run the shipped suite whole; a few of its tests show as well what becomes of them.
FEW_TESTS = (
    "-p no:cacheprovider -p no:hypothesispytest -p no:anyio -p no:randomly"
    " --ignore-glob='/*/nrfcloud/test_[ac-z]*' --ignore-glob='/*/nrfcloud/test_b[ou]*'"
)
DEADLINE = 300.0


@dataclass(kw_only=True)
class Host:
    """A machine on which jobs run; nothing of another host is on it.

    :ivar workspace: where its jobs are run.
    :ivar said: what they printed.
    :ivar ran: the scripts that were run.
    """

    directory: Path
    said: str = ""
    ran: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make its directories."""
        self.workspace.mkdir(parents=True)
        (self.directory / "state").mkdir(mode=0o700)

    @property
    def workspace(self) -> Path:
        """Where its jobs are run."""
        return self.directory / "workspace"

    def run(self, shell: Sequence[str], script: str, variables: Mapping[str, str]) -> bool:
        """Run a script as the CI would; return whether it succeeded.

        :param shell: the shell that the CI uses, with its options.
        :param variables: what the CI puts into the environment.
        """
        self.ran.append(script)
        environment = unmeasured(os.environ) | {
            # What is to be installed is: pip finds it there, and asks nobody.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
            "HOME": str(self.directory),
            "HARNESS_STATE_DIR": str(self.directory / "state"),
            "HARNESS_LEASE_DIR": str(self.directory / "leases"),
            "PYTEST_ADDOPTS": FEW_TESTS,
        }
        done = subprocess.run(
            [*shell, script],
            cwd=self.workspace,
            env={**environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        self.said += f"$ {script}\n{done.stdout}"
        return done.returncode == 0


def at_once(jobs: Sequence[Callable[[], bool]]) -> bool:
    """Run jobs side by side, as different hosts do; return whether all succeeded."""
    with ThreadPoolExecutor(max_workers=len(jobs)) as pool:
        results = [pool.submit(job) for job in jobs]
    return all(each.result() for each in results)


def copy(source: Path, target: Path) -> None:
    """Copy a file or a directory into what may be there already."""
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
