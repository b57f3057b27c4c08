"""``harness backend``: a fake by hand, from its start to Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACME = """
from harness.backends.contract import BackendSpec
from harness.errors import UsageError

async def app(scope, receive, send):
    if scope["path"] == "/end":
        import os
        os._exit(3)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"acme"})

class Fake:
    service = control = staticmethod(app)
    def __init__(self, options):
        self.notes = {"key": "k-1", "options": " ".join(f"{k}={v}" for k, v in sorted(options.items()))}

def fake(settings):
    if set(settings.options) - {"colour", "size"}:
        raise UsageError("no such option", key="--option", expected="colour")
    return Fake(settings.options)

def harness_backends():
    return [
        BackendSpec(
            name="acme",
            title="Acme Cloud",
            client="acme_cloud:client",
            fake="acme_cloud:fake",
            serve_options={"size": "1"},
        ),
        BackendSpec(name="bare", title="Bare Cloud", client="acme_cloud:client"),
    ]
"""


@pytest.fixture(autouse=True)
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A vendor's plugin with two services, one of them with a fake."""
    (tmp_path / "acme_cloud.py").write_text(ACME)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("HARNESS_PLUGINS", "acme_cloud")
    yield
    sys.modules.pop("acme_cloud", None)


@pytest.fixture(autouse=True)
def runtime_directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where sockets go: a short path, as sockets need one."""
    with tempfile.TemporaryDirectory(prefix="h-") as directory:
        monkeypatch.setenv("HARNESS_RUNTIME_DIR", directory)
        yield Path(directory)


@pytest.fixture
def serving(runtime_directory: Path) -> Iterator[subprocess.Popen[str]]:
    """``harness backend serve acme``, in a process of its own."""
    command = [sys.executable, "-c", "from harness.cli.main import main; main()", "backend", "serve", "acme"]
    with subprocess.Popen(
        [*command, "--option", "colour=red"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def said(process: subprocess.Popen[str]) -> dict[str, str]:
    """What it prints when it serves, as pairs of label and value."""
    assert process.stdout is not None
    lines = [process.stdout.readline().strip().split(": ", 1) for _ in range(6)]
    assert all(len(line) == 2 for line in lines), (lines, process.stderr and process.stderr.read())
    return dict(lines)


def test_services_are_listed(run: Callable[..., Any]) -> None:
    """Each service is a line that says whether it has a fake."""
    lines = run("backend", "list").out.splitlines()

    assert "acme: Acme Cloud, with a fake" in lines
    assert "bare: Bare Cloud, without a fake" in lines


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_fake_serves_until_interrupted(
    serving: subprocess.Popen[str], runtime_directory: Path, number: signal.Signals
) -> None:
    """It says where it is and what to know, answers, ends when told to and leaves nothing behind."""
    lines = said(serving)
    url = lines["Acme Cloud (fake)"]
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own server
        assert answer.read() == b"acme"
    assert lines["key"] == "k-1"
    assert lines["options"] == "colour=red size=1"
    assert lines["use it"] == f"--backend acme={url}"

    serving.send_signal(number)

    assert serving.wait(timeout=10) == 0
    assert serving.stderr is not None
    assert serving.stderr.read() == ""
    assert list(runtime_directory.iterdir()) == []


def test_fake_that_ends_by_itself_is_a_failure(serving: subprocess.Popen[str]) -> None:
    """A fake that dies is told at once, with exit code 1."""
    url = said(serving)["Acme Cloud (fake)"]
    with pytest.raises(OSError, match=r"."):
        urllib.request.urlopen(f"{url}/end", timeout=10)  # noqa: S310 - our own server

    assert serving.wait(timeout=10) == 1
    assert serving.stderr is not None
    assert serving.stderr.read() == "harness: the fake of Acme Cloud ended by itself: its log is empty\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody"], "NAME: no such service (got 'nobody'); expected acme or bare"),
        (["bare"], "this backend has no fake"),
        (["acme", "--option", "colour"], "--option: malformed (got 'colour'); expected KEY=VALUE"),
        (["acme", "--option", "weight=1"], "refuses to start"),
        (["acme", "--port", "70000"], "refuses to start"),
    ],
)
def test_wrong_call_is_refused(run: Callable[..., Any], arguments: list[str], message: str) -> None:
    """Each mistake is one line that says what was expected."""
    outcome = run("backend", "serve", *arguments)

    assert outcome.code == 4
    assert message in outcome.err
    assert outcome.err.count("\n") == 1
