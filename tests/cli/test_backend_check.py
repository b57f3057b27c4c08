"""``harness backend check`` on a fake that is served elsewhere."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from harness.backends.contract import Backend, known_backends
from harness.backends.launcher import start_fake
from harness.backends.ledger import Ledger
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
    assert "not checked: claims, blocks, and what devices are told then (needs --own-team" in shown
    assert "not checked: what a viewer may not (needs the key of a viewer" in shown
    assert KEY not in shown


def test_everything_as_json(contrarian: Backend, key_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With a team, a device and addresses at hand the check sees everything; what it leaves it names."""
    found = json.loads(everything(contrarian, key_file, capfd, code=1))

    asked = {
        (each["question"], each["aspect"]): (each["theirs"], each["ours"]) for each in found["differences"]
    }
    assert asked["fetch of a blocked device", "status"] == ("401", "403")
    assert asked["block", "status"] == ("200", "204")
    assert asked["a command that succeeded", "shown"] == ("Succeeded", "SUCCEEDED")
    assert asked["unclaim a device that is nobody's, as a viewer", "status"] == ("401", "403")
    assert asked["suspend by CoAP", "code"] == ("4.04", "2.04")
    assert asked["prove by CoAP", "seconds"] == ("3600", "2592000")
    assert asked["an onboarded device", "form"][0].find("groups") == -1
    assert found["not_checked"] == {}
    # That service tells no ids of rules, and deletes none.
    assert {line.partition(" ")[0] for line in found["left"]} == {"rule"}
    with Ledger() as ledger:
        assert {entry.kind for entry in ledger.entries(worker="check")} == {"rule"}
        ledger.settle_all([entry.number for entry in ledger.entries(worker="check")])


@pytest.mark.parametrize("option", ["--key-file", "--viewer-key-file"])
def test_key_that_is_refused(
    contrarian: Backend, key_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], option: str
) -> None:
    """A key that the service does not know is said to be wrong, instead of a table in which all differs."""
    wrong = tmp_path / "wrong"
    wrong.touch(0o600)
    wrong.write_text("a-key-of-nobody-0123456789")
    keys = {"--key-file": key_file, option: wrong}

    code = execute(
        ["backend", "check", f"nrfcloud={contrarian.url}", *(str(x) for pair in keys.items() for x in pair)]
    )

    shown = capfd.readouterr()
    assert code == 4
    assert shown.out == ""
    assert shown.err.startswith(f"harness: {option}: {contrarian.url} answers 401 to this key; is it the API")
    assert "a-key-of-nobody" not in shown.err


def everything(service: Backend, key_file: Path, capfd: pytest.CaptureFixture[str], *, code: int) -> str:
    """Check all that can be, and return what was printed."""
    options = ["--own-team", "--control", str(service.control), "--key-file", str(key_file), "--json"]
    address = f"coap={service.address('coap')}"

    assert execute(["backend", "check", f"nrfcloud={service.url}", *options, "--address", address]) == code

    return capfd.readouterr().out


_KILLED = """
import os, signal, sys
from harness.cli.main import execute
from harness_nordic import service_check
service_check._OF_DEVICES["commands"] = lambda asking, device: (
    asking.claim(device), asking.make_tag("check-of-the-killed"),
    asking.make_rule({"name": "check-of-the-killed", "commands": [], "tags": ["check-of-the-killed"]}),
    os.kill(os.getpid(), signal.SIGKILL)
)
execute(sys.argv[1:])
"""


def test_killed_and_swept(
    tmp_path: Path, key_file: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a check left that was killed is found by the sweep, and undone: device, tags and rules."""
    spec = known_backends(load_plugins())["nrfcloud"]
    with start_fake(spec, tmp_path, lifeline=None, options={"team-key": KEY}) as running:
        service = running.backend
        options = ["--own-team", "--control", str(service.control), "--key-file", str(key_file)]
        command = [sys.executable, "-c", _KILLED, "backend", "check", f"nrfcloud={service.url}", *options]
        ended = subprocess.run(command, capture_output=True, check=False, timeout=60)
        assert ended.returncode == -signal.SIGKILL
        with Ledger() as ledger:
            kinds = {entry.kind for entry in ledger.entries(worker="check", url=service.url)}
        monkeypatch.setenv("NRFCLOUD_API_KEY", KEY)

        assert execute(["sweep", "--yes"]) == 0

        said = capfd.readouterr().out
        left = [
            httpx.get(service.url + path, headers={"Authorization": f"Bearer {KEY}"}).json()["items"]
            for path in ("/v1/claimed-devices", "/v1/claimed-devices/tags", "/v1/provisioning-rules")
        ]
    assert kinds >= {"claim", "tag", "rule"}
    assert "LEFT" not in said
    assert left == [[], [], []]
    with Ledger() as ledger:
        assert ledger.entries(worker="check") == []


@pytest.mark.parametrize("address", ["coap", "coap=", "=coap://127.0.0.1:1", "coap=coap://127.0.0.1:99999"])
def test_no_address_of_a_part(address: str, key_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It is named, with an example."""
    options = ["--key-file", str(key_file), "--address", address]

    assert execute(["backend", "check", "nrfcloud=http://127.0.0.1:9", *options]) == 4

    said = capfd.readouterr().err
    assert address in said
    assert "PART=URL, for example coap=coap://127.0.0.1:5683" in said


def test_key_of_a_viewer_that_others_may_read(
    contrarian: Backend, key_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is guarded as the other one is, and the message names the option."""
    viewer = tmp_path / "viewer"
    viewer.write_text(KEY)
    viewer.chmod(0o644)
    options = ["--key-file", str(key_file), "--viewer-key-file", str(viewer)]

    assert execute(["backend", "check", f"nrfcloud={contrarian.url}", *options]) == 4

    assert "--viewer-key-file" in capfd.readouterr().err


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
