"""A person: a home, a served fake with an account, a device behind SSH, and command lines."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.contract import BackendSession
from harness.backends.launcher import start_fake
from harness.cli.main import execute
from harness_pelion.client import connect
from harness_pelion.plugin import harness_backends
from tests.pelion.driver.device_double import DeviceDouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness_pelion.client import PelionClient

GOLDEN = Path(__file__).parents[1] / "golden"


@dataclass(frozen=True)
class Outcome:
    """What a command line did."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Person:
    """Somebody at a command line.

    :ivar home: the home directory.
    :ivar key: an API key of the account.
    :ivar environment: what a process of this person gets.
    """

    home: Path
    key: str
    environment: dict[str, str]
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> Outcome:
        """Run ``harness pelion ...`` in this process."""
        self.capsys.readouterr()
        code = execute(["pelion", *arguments])
        captured = self.capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    def words(self, *arguments: str) -> list[str]:
        """Return the words of ``harness pelion ...`` as a process."""
        return [sys.executable, "-m", "harness.cli", "pelion", *arguments]

    def keep_key(self) -> None:
        """Keep the API key without asking the service."""
        from harness_pelion.stores import open_stores

        open_stores(self.home).user.save_api_key(self.key)

    @property
    def team(self) -> Path:
        """The team store."""
        return self.home / ".mbl-store/team"

    @property
    def selection(self) -> Any:
        """What ``~/.mbl-dev.json`` says."""
        return json.loads((self.home / ".mbl-dev.json").read_text())


@dataclass(frozen=True)
class Service:
    """An account at a served fake.

    :ivar key: an API key of it.
    """

    client: PelionClient
    key: str


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An account at a served fake, for all tests of this file."""
    (spec,) = harness_backends()
    with start_fake(spec, tmp_path_factory.mktemp("f"), lifeline=None) as running:
        keys: list[str] = []
        session = BackendSession(
            run_id="cli", worker="main", register_secret=lambda value, _label: keys.append(value)
        )
        client = connect(running.backend, session)
        yield Service(client, keys[0])
        client.close()


@pytest.fixture
def person(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Person]:
    """Somebody who has nothing yet but a C file of update resources in the working directory."""
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    (here / "update_default_resources.c").write_bytes((GOLDEN / "update_1_5_2.c").read_bytes())
    for name in [name for name in os.environ if name.startswith("PELION_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PELION_URL", service.client.backend.url)
    monkeypatch.chdir(here)
    yield Person(home, service.key, dict(os.environ), capsys)
    for certificate in service.client.trusted_certificates():
        service.client.delete_certificate(certificate.id)
    service.client.undo()


@pytest.fixture
def device(person: Person, tmp_path: Path) -> Iterator[DeviceDouble]:
    """A device that this person has selected."""
    double = DeviceDouble(tmp_path / "device")
    selected = {"hostname": "mbed-linux-os-1", "address": "127.0.0.1", "username": "root", "password": ""}
    (person.home / ".mbl-dev.json").write_text(json.dumps({**selected, "port": double.port}))
    yield double
    double.close()


@pytest.fixture
def provisioned_with(device: DeviceDouble) -> Callable[[str], bytes]:
    """Return what the device's utility took for a variable."""
    return lambda variable: device.held[f"{variable}.bin"]
