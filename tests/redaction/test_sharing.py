"""What one process registers the others know, and nothing of it stays behind."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from harness.redaction import Redactor
from harness.redaction.forms import forms_of
from harness.redaction.sharing import join_secrets, share_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.redaction.forms import Form

T = TypeVar("T")

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


def test_threads_that_redact_at_once(directory: Path) -> None:
    """Each thread of a process hears of what others register; what one has taken no other takes again."""
    switching = sys.getswitchinterval()
    controller, worker = Redactor(), Redactor()
    problems: list[BaseException] = []
    over = threading.Event()

    def redact(name: str) -> None:
        number = 0
        while not over.is_set():
            number += 1
            try:
                worker.redact(f"{name}, text {number}")
            except BaseException as error:  # noqa: BLE001 - whatever it is, the test shows it
                problems.append(error)
                over.set()

    def attempt(work: Callable[[], T]) -> T | None:
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            problems.append(error)
            return None

    threads = [threading.Thread(target=redact, args=(f"thread {number}",)) for number in range(3)]
    with closing(share_secrets(controller, directory)) as shared:
        joined = join_secrets(worker, shared.path)
        sys.setswitchinterval(1e-5)
        try:
            for thread in threads:
                thread.start()
            secrets = [f"secret number {number}" for number in range(600)]
            for secret in secrets:
                controller.add(secret, "it")
        finally:
            over.set()
            for thread in threads:
                thread.join()
            sys.setswitchinterval(switching)
        redacted = attempt(lambda: {worker.redact(secret) for secret in secrets})
        attempt(joined.close)
    assert problems == []
    assert redacted == {"[redacted: it]"}


def test_interrupted_while_others_are_heard(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever raises in the middle of it, as an alarm does, redacts its message: nothing is lost or stuck."""
    controller, worker = Redactor(), Redactor()
    said: list[str] = []

    def interrupted(value: bytes, label: str) -> list[Form]:
        if not said:
            said.append("")
            said.append(worker.redact("the first secret and the second secret"))
            raise TimeoutError
        return forms_of(value, label)

    with (
        closing(share_secrets(controller, directory)) as shared,
        closing(join_secrets(worker, shared.path)),
    ):
        controller.add("the first secret", "one")
        controller.add("the second secret", "two")
        monkeypatch.setattr("harness.redaction.pieces.forms_of", interrupted)

        with pytest.raises(TimeoutError):
            worker.redact("a text")

        assert said[1] == "[redacted: one] and [redacted: two]"
        assert worker.redact("the first secret and the second secret") == said[1]
