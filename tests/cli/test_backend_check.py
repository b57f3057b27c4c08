"""``harness backend check`` on a fake that is served elsewhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness.backends.contract import Backend, known_backends
from harness.backends.launcher import start_fake
from harness.cli.main import execute
from harness.plugins import load_plugins

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "a-key-of-the-team-0123456789abcdef"


@pytest.fixture(scope="module")
def contrarian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A fake that decides otherwise what nobody knows."""
    spec = known_backends(load_plugins())["nrfcloud"]
    options = {"contrarian": "yes", "team-key": KEY}
    with start_fake(spec, tmp_path_factory.mktemp("c"), lifeline=None, options=options) as running:
        yield running.backend


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """The key, where its owner alone can read it."""
    file = tmp_path / "key"
    file.touch(0o600)
    file.write_text(KEY)
    return file


def test_differences_in_a_table(
    contrarian: Backend, key_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What harmless questions show stands in a table, what they cannot show is listed, and 1 is returned."""
    code = execute(["backend", "check", f"nrfcloud={contrarian.url}", "--key-file", str(key_file)])

    shown = capfd.readouterr().out
    assert code == 1
    assert "of the answer" in shown
    assert "not checked: claims, blocks, commands and what devices get" in shown
    assert KEY not in shown


def test_everything_as_json(contrarian: Backend, key_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With a team and a device of its own the check sees what the service does with both, and undoes it."""
    options = ["--own-team", "--control", str(contrarian.control), "--key-file", str(key_file), "--json"]

    code = execute(["backend", "check", f"nrfcloud={contrarian.url}", *options])

    found = json.loads(capfd.readouterr().out)["differences"]
    asked = {(each["question"], each["aspect"]): (each["theirs"], each["ours"]) for each in found}
    assert code == 1
    assert asked["fetch of a blocked device", "status"] == ("401", "403")
    assert asked["block", "status"] == ("200", "204")
    assert asked["a command that succeeded", "shown"] == ("Succeeded", "SUCCEEDED")


def test_service_like_our_fake(tmp_path: Path, key_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing to tell: 0."""
    spec = known_backends(load_plugins())["nrfcloud"]
    with start_fake(spec, tmp_path, lifeline=None, options={"team-key": KEY}) as running:
        code = execute(["backend", "check", f"nrfcloud={running.backend.url}", "--key-file", str(key_file)])

    assert code == 0
    assert "; 0 answered otherwise" in capfd.readouterr().out


def test_key_that_others_may_read(
    contrarian: Backend, key_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is not used, and the message says what to do."""
    key_file.chmod(0o640)

    code = execute(["backend", "check", f"nrfcloud={contrarian.url}", "--key-file", str(key_file)])

    assert code == 4
    assert "others may read the key" in (said := capfd.readouterr().err)
    assert "chmod 600" in said
    assert KEY not in said


@pytest.mark.parametrize("service", ["nrfcloud=fake", "nowhere=real", "nrfcloud=real:nowhere"])
def test_nothing_to_compare(service: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A fake, a service that nobody knows and a stage that there is not are told apart from an address."""
    assert execute(["backend", "check", service]) == 4

    assert "expected" in capfd.readouterr().err
