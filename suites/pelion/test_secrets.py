"""The API key and the developer's private key: in their stores, and nowhere else."""

from __future__ import annotations

import base64
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization

from harness.errors import BoardLost, RequestRefused
from harness_pelion.driver_models import CLIENT_LOG, FOLDER
from harness_pelion.key_forms import is_in

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard
    from harness_pelion.attempting import Attempts
    from harness_pelion.resources import DeveloperCredentials, UpdateResources

pytestmark = pytest.mark.board(driver="mbl", destructive=True)

VIRTUAL = pytest.mark.board(driver="mbl", destructive=True, needs={"virtual"})
PRIVATE_KEY_FILE = "MBED_CLOUD_DEV_BOOTSTRAP_DEVICE_PRIVATE_KEY.bin"


def forms(key_der: bytes) -> list[bytes]:
    """Return a private key in every form that somebody may have let slip, made by another library."""
    key: Any = serialization.load_der_private_key(key_der, None)
    pems = [
        key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        for form in (serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL)
    ]
    number = key.private_numbers().private_value.to_bytes(32, "big")
    return [
        key_der,
        base64.b64encode(key_der),
        number,
        number.hex().encode(),
        *(pem.splitlines()[1] for pem in pems),
    ]


def has(content: bytes, key_der: bytes) -> bool:
    """Tell whether any form of a key is in a text."""
    return any(form in content for form in forms(key_der))


def process_list() -> bytes:
    """Return the command lines of all processes of this host, as everybody sees them."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(file.read_bytes())
        except OSError:
            continue
    return b"\n".join(found)


@VIRTUAL
@pytest.mark.proves("secrets", "the temporary folder is for nobody else")
def test_temporary_folder(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources, pelion: Any
) -> None:
    """While the files are there, directories are 0700 and files 0600; then they are gone."""
    device = board.driver.device
    board.driver.prepare()
    device.make_folder()
    device.transfer({developer.name: developer.bin_files, update.name: update.bin_files})
    paths = board.virtual.call("files", path=FOLDER)
    modes = {path: board.virtual.call("file_mode", path=path) for path in paths}

    files = {Path(path).name for path, mode in modes.items() if mode.startswith("f")}
    assert files == {*developer.bin_files, *update.bin_files}
    assert {mode for mode in modes.values() if mode.startswith("f")} == {"f0600"}
    assert modes[f"{FOLDER}/{PRIVATE_KEY_FILE}"] == "f0600"
    device.remove_folder()
    assert board.virtual.call("files", path=FOLDER) == []
    assert pelion.devices(ca_id=developer.endpoint_name) == []


@VIRTUAL
@pytest.mark.parametrize("nth", [1, 12, 19])
@pytest.mark.proves("secrets", "a transfer that breaks leaves none")
def test_broken_transfer(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources, nth: int
) -> None:
    """Half a transfer leaves no file, and its error does not tell what was in them."""
    board.virtual.call("cut_ssh_at", nth=nth, when="file")

    with pytest.raises(BoardLost) as caught:
        board.driver.provision(developer, update)

    told = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    assert not is_in(developer.private_key_der, told)
    assert not has(repr(caught.value).encode(), developer.private_key_der)
    assert [path for path in board.virtual.call("files") if path.endswith(".bin")] == []


@VIRTUAL
@pytest.mark.proves("secrets", "not in any command")
def test_commands(
    board: LeasedBoard, attempts: Attempts, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """Neither the device's process list nor ours shows the key: it goes through the connection."""
    board.virtual.call("connections", clear=True)

    assert attempts(developer, update).outcome.ok

    commands = [each for one in board.virtual.call("connections") for each in one["commands"]]
    assert len(commands) >= 8
    assert not has("\n".join(commands).encode(), developer.private_key_der)
    assert not has(process_list(), developer.private_key_der)


@VIRTUAL
@pytest.mark.proves("secrets", "in no file of the device but its store")
def test_files_of_the_device(
    board: LeasedBoard, attempts: Attempts, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """When the device is registered no file of credentials is left, and no file has the key in it."""
    assert attempts(developer, update).outcome.ok

    paths = board.virtual.call("files")

    assert [path for path in paths if path.endswith(".bin") or developer.name in path] == []
    files = [path for path in paths if board.virtual.call("file_mode", path=path).startswith("f")]
    read = board.driver.device.execute(shlex.join(["cat", *files])).output
    assert CLIENT_LOG in files
    assert b"Client registered" in read
    assert not has(read, developer.private_key_der)


@pytest.mark.proves("secrets", "in no log of the device")
def test_logs(
    board: LeasedBoard, attempts: Attempts, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """The client's log says who the device is, and not by what it proves that."""
    attempt = attempts(developer, update)

    log = board.driver.client_log().text

    assert attempt.device.id in log
    assert not has(log.encode(), developer.private_key_der)
    assert not is_in(developer.private_key_der, log)
    said = attempt.outcome.output + attempt.outcome.errors
    assert not has(said.encode(), developer.private_key_der)


@pytest.mark.backend("pelion", needs={"server-log"})
@pytest.mark.proves("secrets", "in no log of the servers")
def test_logs_of_the_servers(
    board: LeasedBoard,
    attempts: Attempts,
    developer: DeveloperCredentials,
    update: UpdateResources,
    pelion: Any,
) -> None:
    """What the servers note of a bootstrap names the device, and none of its keys."""
    attempt = attempts(developer, update)

    notes = "\n".join(f"{note.what} {note.details}" for note in pelion.server_log())

    assert attempt.device.id in notes
    assert not has(notes.encode(), developer.private_key_der)
    assert board.driver.status().configured


@pytest.mark.proves("secrets", "not shown by what is printed of them")
def test_representations(
    developer: DeveloperCredentials, pelion: Any, attempts: Attempts, update: UpdateResources
) -> None:
    """Whoever prints credentials, a certificate or an attempt in a report sees no key."""
    record = pelion.developer_certificate(developer.endpoint_name)
    attempt = attempts(developer, update)

    for shown in map(repr, (developer, record, record.record, attempt, attempt.evidence.facts)):
        assert not is_in(developer.private_key_der, shown)
        assert not has(shown.encode(), developer.private_key_der)


@pytest.mark.backend("pelion", needs={"exact-status"})
@pytest.mark.proves("secrets", "the API key is told by nobody")
def test_api_key(pelion: Any, board: LeasedBoard) -> None:
    """A key that was made is in no list, no error, no process list, and is not repeated by the service."""
    made = pelion.create_api_key(pelion.own_name("secret"))
    other = pelion.as_user(made.key)
    listed = next(each for each in pelion.api_keys() if each.id == made.id)

    assert made.key not in repr(made)
    assert made.key not in listed.model_dump_json()
    with pytest.raises(RequestRefused) as caught:
        other.developer_certificate("0" * 32)
    assert made.key not in str(caught.value)
    assert made.key.encode() not in process_list()
    assert not board.driver.status().configured
