"""The command line of a fake's own process."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from harness.backends.serving import main, parse_options
from harness.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from harness.backends.contract import BackendSpec


def test_options() -> None:
    """Options are keys with values; a value may hold an equals sign or be empty."""
    assert parse_options(["a=b=c", "d="]) == {"a": "b=c", "d": ""}
    for unfit in (["a"], ["=b"], ["a=1", "a=2"]):
        with pytest.raises(UsageError, match="--option"):
            parse_options(unfit)


def test_value_from_a_file(tmp_path: Path) -> None:
    """A value that nobody else on the host may read comes from a file; one that is not there is an error."""
    (tmp_path / "key").write_text("top-secret-key\n")

    assert parse_options([f"a=@{tmp_path / 'key'}", "b=c@d"]) == {"a": "top-secret-key", "b": "c@d"}
    with pytest.raises(UsageError, match="nowhere: --option: cannot be read"):
        parse_options([f"a=@{tmp_path / 'nowhere'}"])


@pytest.mark.parametrize("lifeline", ["nowhere/fifo", "999999", "99999999999999999999"])
def test_lifeline_that_is_none(tmp_path: Path, capfd: pytest.CaptureFixture[str], lifeline: str) -> None:
    """A lifeline that cannot be watched is a usage error, exit 4, one message."""
    status = main(["--factory", "x:y", "--socket", str(tmp_path / "s"), "--lifeline", lifeline])

    assert status == 4
    assert capfd.readouterr().err.startswith("error: --lifeline: cannot be watched")


@pytest.mark.usefixtures("spec")
def test_started_by_hand(tmp_path: Path) -> None:
    """Without a lifeline the process says one line of JSON and serves until SIGTERM, then exits with 0."""
    command = [sys.executable, "-m", "harness.backends.serving", "--factory", "tiny_fake:create"]
    with subprocess.Popen(
        [*command, "--socket", str(tmp_path / "s")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        process.terminate()
        rest, _ = process.communicate(timeout=10)

    assert ready.keys() == {"url", "secure_url", "addresses", "remarks", "control", "pid", "notes"}
    assert ready["pid"] == process.pid
    assert (process.returncode, rest) == (0, b"")


def test_plugins_are_loaded(spec: BackendSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin named by HARNESS_PLUGINS is loaded in the fake's process before its factory is called."""
    (tmp_path / "modules" / "a_break.py").write_text(
        "import tiny_fake\ntiny_fake.Fake.notes_of_old = True\ntiny_fake.create = lambda settings: 1 / 0\n"
    )
    monkeypatch.setenv("HARNESS_PLUGINS", "a_break")
    command = [sys.executable, "-m", "harness.backends.serving", "--factory", str(spec.fake)]

    done = subprocess.run(
        [*command, "--socket", str(tmp_path / "s")], capture_output=True, timeout=30, check=False
    )

    assert b"ZeroDivisionError" in done.stderr
