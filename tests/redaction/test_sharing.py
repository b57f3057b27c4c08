"""What one process registers the others know, and nothing of it stays behind."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.redaction import Redactor
from harness.redaction.sharing import join_secrets, share_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
WORKER = """
import os, signal, sys
from harness.redaction import Redactor
from harness.redaction.sharing import join_secrets

redactor = Redactor()
join_secrets(redactor, sys.argv[1])
for number in range(50):
    redactor.add(f"secret of {sys.argv[2]}, number {number}", "it")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(params=["memory", "file"])
def directory(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """The session's directory, on a system that has memory as a file, and on one that has not."""
    if request.param == "file":
        monkeypatch.delattr(os, "memfd_create")
    yield tmp_path
    if request.param == "memory":
        assert list(tmp_path.iterdir()) == []


def test_each_knows_what_the_others_register(directory: Path) -> None:
    """Controller and workers learn of each other's values, line ends and all, before and after joining."""
    controller, first, second = Redactor(), Redactor(), Redactor()
    controller.add("known from the start", "hook")
    with (
        closing(share_secrets(controller, directory)) as shared,
        closing(join_secrets(first, shared.path)),
        closing(join_secrets(second, shared.path)),
    ):
        first.add("of the first\nworker, é\udcff", "first")
        second.add(b"of the second \xff\x00", "second")

        for redactor in (controller, first, second):
            assert redactor.redact("<of the first\nworker, é\udcff>") == "<[redacted: first]>"
            assert redactor.redact_bytes(b"<of the second \xff\x00>") == b"<[redacted: second]>"
            assert redactor.redact("known from the start") == "[redacted: hook]"

    assert controller.redact("of the first\nworker, é\udcff") == "[redacted: first]", "known after the end"


def test_nobody_else_may_read_it(directory: Path) -> None:
    """What holds the values is for this user only."""
    with closing(share_secrets(Redactor(), directory)) as shared:
        assert stat.S_IMODE(Path(shared.path).stat().st_mode) == 0o600


def test_of_workers_that_die(directory: Path) -> None:
    """What was registered right before a SIGKILL is known, by several workers at once, nothing mixed up."""
    controller = Redactor()
    with closing(share_secrets(controller, directory)) as shared:
        workers = [
            subprocess.Popen([sys.executable, "-c", WORKER, shared.path, str(number)], cwd=ROOT)
            for number in range(4)
        ]
        assert [worker.wait(60) for worker in workers] == [-9] * 4

        for worker in range(4):
            for number in range(50):
                assert controller.redact(f"<secret of {worker}, number {number}>") == "<[redacted: it]>"


def test_closing_twice(directory: Path) -> None:
    """After the end nothing is told any more, and a second end is none."""
    redactor = Redactor()
    shared = share_secrets(redactor, directory)
    shared.close()
    shared.close()

    redactor.add("registered too late", "late")

    assert redactor.redact("registered too late") == "[redacted: late]"
