"""The same driver behind a real OpenSSH server, with a key: Linux's own scp, mv and rm are the device's."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from harness.ssh import SshConnection
from harness_pelion.driver_models import RemoteCommandFailed
from harness_pelion.driver_steps import RemoteDevice
from tests.pelion.driver.device_double import GOOD_UTIL
from tests.ssh.conftest import OpenSsh

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness_pelion.resources import DeveloperCredentials, UpdateResources

LED = ("/scratch", "/opt/arm")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The device's files: a utility, and a shell that leads a device's paths in here."""
    root = tmp_path_factory.mktemp("device")
    (root / "scratch").mkdir()
    (root / "opt/arm").mkdir(parents=True)
    folder = root / "scratch/provisioning-certs"
    util = root / "opt/arm/pelion-provisioning-util"
    util.write_text(f"#!/bin/sh\nHELD={root}/held\n" + GOOD_UTIL.replace("{folder}", str(folder)))
    led = "; ".join(f"s#{path}#{root}{path}#g" for path in LED)
    shell = root / "shell"
    shell.write_text(f'#!/bin/sh\nexec sh -c "$(printf %s "$SSH_ORIGINAL_COMMAND" | sed \'{led}\')"\n')
    for program in (util, shell):
        program.chmod(0o755)
    return root


@pytest.fixture(scope="module")
def server(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSsh]:
    """OpenSSH's own server."""
    sshd = OpenSsh(tmp_path_factory.mktemp("sshd"), f"ForceCommand {shlex.quote(str(place / 'shell'))}")
    yield sshd
    sshd.close()


@pytest.fixture
def device(server: OpenSsh) -> Iterator[RemoteDevice]:
    """The device behind it."""
    connection = SshConnection(server.address(), "openssh")
    yield RemoteDevice(connection, "openssh", cleanup_seconds=1.0)
    connection.close()


def test_provisioned(
    device: RemoteDevice,
    server: OpenSsh,
    place: Path,
    developer: DeveloperCredentials,
    update: UpdateResources,
) -> None:
    """Four connections, all files byte for byte, and nothing left in the folder's place."""
    before = server.connections

    outcome = device.provision(developer, update)

    assert outcome.ok
    assert server.connections - before == 4
    held = {each.name: each.read_bytes() for each in (place / "held").iterdir()}
    assert held == {**developer.bin_files, **update.bin_files}
    assert not (place / "scratch/provisioning-certs").exists()
    assert not device.folder_exists()
    assert device.status().configured


def test_failed_step_has_the_words_of_the_device(
    device: RemoteDevice, place: Path, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """A file in the place of the folder's parent: mkdir's own words and status are told."""
    (place / "scratch").rename(place / "elsewhere")
    (place / "scratch").touch()
    try:
        with pytest.raises(RemoteCommandFailed, match="mkdir") as caught:
            device.provision(developer, update)
    finally:
        (place / "scratch").unlink()
        (place / "elsewhere").rename(place / "scratch")

    assert caught.value.code == 1
