"""``harness pelion provision`` and ``status``: both spellings, what is refused when, and what is left."""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness_pelion.key_forms import is_in
from harness_pelion.stores import open_stores
from tests.pelion.cli.spelling import FILE, KEY_FILE, SEED

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.pelion.cli.conftest import Outcome, Person, Service
    from tests.pelion.driver.device_double import DeviceDouble

COMPLETED = "Provisioning device.\nProvisioning process completed without error.\n"
#: UUIDs of arm.com and of dev-device under it (pelion fact sheet, section 5.1).
VENDOR = uuid.UUID("fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe")
CLASS = uuid.UUID("4d131344-feab-5a2e-84a2-0dccdd905f35")

LATER = ("provision-pelion", "my-device", "my-update", "-c", "-p", FILE)
OURS = ("provision", "my-device", FILE, "-c")


def assert_provisioned(device: DeviceDouble, service: Service) -> str:
    """See that the device took what the service made and the C file has; return the certificate's id."""
    (certificate,) = service.client.developer_certificates()
    held = device.held
    endpoint = held["MBED_CLOUD_DEV_BOOTSTRAP_ENDPOINT_NAME.bin"].decode()
    assert endpoint == certificate.id
    assert held["arm_uc_vendor_id.bin"] == VENDOR.bytes
    assert held["arm_uc_class_id.bin"] == CLASS.bytes
    assert held["MBED_CLOUD_DEV_MANUFACTURER.bin"] == b"dev_manufacturer"
    assert held["MBED_CLOUD_DEV_MEMORY_TOTAL_KB.bin"] == b"0"
    assert len(held) == 12 + 7
    assert not device.folder.exists()
    return certificate.id


@pytest.mark.parametrize(
    ("words", "update"),
    [(SEED, "update_default_resources"), (LATER, "my-update"), (OURS, "update_default_resources")],
    ids=["the seed's spelling", "the later documents' spelling", "ours"],
)
def test_each_spelling(
    person: Person, service: Service, device: DeviceDouble, words: tuple[str, ...], update: str
) -> None:
    """Each spelling makes the certificate, keeps both sets in the team store and provisions the device."""
    person.keep_key()

    done = person.run(*words)

    assert (done.code, done.out) == (0, COMPLETED), done.err
    assert_provisioned(device, service)
    assert open_stores(person.home).team.names() == {
        "my-device": "developer credentials",
        update: "update resources",
    }
    assert "Developer certificate 'my-device': made, and kept in" in done.err
    assert done.err.endswith("next: harness pelion status\n")
    assert len([commands for commands in device.connections if commands]) == 4
    assert_says_no_secret(done, device, person)


def assert_says_no_secret(done: Outcome, device: DeviceDouble, person: Person) -> None:
    """See that neither key is in what a command said."""
    assert not is_in(device.held[KEY_FILE], done.out + done.err)
    assert person.key not in done.out + done.err
    assert "ak_" not in done.out + done.err


def test_from_the_store(person: Person, service: Service, device: DeviceDouble, tmp_path: Path) -> None:
    """The next device gets what is in the team store; the service is not asked, and no key is needed."""
    person.keep_key()
    assert person.run(*SEED).code == 0
    (person.home / ".mbl-store/user/config.json").unlink()
    Path(FILE).unlink()
    for file in (device.root / "held").iterdir():
        file.unlink()

    done = person.run("provision", "my-device", "update_default_resources", "--url", "http://127.0.0.1:9")

    assert (done.code, done.out) == (0, COMPLETED), done.err
    assert_provisioned(device, service)


def test_in_the_account_only(person: Person, service: Service, device: DeviceDouble) -> None:
    """A certificate that somebody else made is fetched by its name, and kept."""
    service.client.create_developer_certificate("of-a-colleague")
    service.client.create_developer_certificate("another")
    person.keep_key()

    done = person.run("provision", "of-a-colleague", FILE)

    assert done.code == 0, done.err
    assert "Developer certificate 'of-a-colleague': fetched, and kept in" in done.err
    named = {each.id: each.name for each in service.client.developer_certificates()}
    assert named[device.held["MBED_CLOUD_DEV_BOOTSTRAP_ENDPOINT_NAME.bin"].decode()] == "of-a-colleague"
    assert open_stores(person.home).team.names()["of-a-colleague"] == "developer credentials"


def test_second_user_of_the_team(
    person: Person, service: Service, device: DeviceDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else provisions with the same team store, and has neither a key nor the C file."""
    person.keep_key()
    assert person.run(*LATER).code == 0
    other = tmp_path / "other"
    other.mkdir()
    (other / ".mbl-stores.json").write_text(
        json.dumps({"user": str(other / "store"), "team": str(person.team)})
    )
    (other / ".mbl-dev.json").write_text((person.home / ".mbl-dev.json").read_text())
    monkeypatch.setenv("HOME", str(other))
    for file in (device.root / "held").iterdir():
        file.unlink()

    done = person.run("provision", "my-device", "my-update")

    assert (done.code, done.out) == (0, COMPLETED), done.err
    assert_provisioned(device, service)
    assert not (other / "store").exists()


# -- what is refused -------------------------------------------------------------------------------


def assert_untouched(device: DeviceDouble, service: Service) -> None:
    """See that neither the device nor the account was changed."""
    assert [command for commands in device.connections for command in commands] == []
    assert service.client.trusted_certificates() == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["c", "./missing.c", "-c"], "missing.c: there is no such file; expected a C file of manifest-tool"),
        (["c", "missing.c", "-c"], "missing.c: there is no such file"),
        (["c", "u", "-c", "-p", "missing"], "missing: there is no such file"),
        (["c", "u", "-c"], "Certificate 'u' not found in the store.; expected a C file: none is stored yet"),
        (["../c", FILE, "-c"], "CERT: no name for a certificate (got '../c')"),
        (["c", "u" * 101, "-c"], "UPDATE: no name for a certificate"),
        (["c", "u" * 300, "-c"], "UPDATE: no name for a certificate"),
        (["c", "u", "-c", "-p", "u" * 300], "uuu: there is no such file"),
        (["update_default_resources", FILE, "-c"], "UPDATE: is the name of the developer certificate too"),
        (
            ["c", "wrong.c", "-c"],
            "wrong.c: is a file of developer credentials; expected one of update resources",
        ),
        (["c", "broken.c", "-c"], "broken.c: arm_uc_class_id: line 2: has no byte as its number 1"),
        (["c", "classless.c", "-c"], "classless.c: arm_uc_class_id: a variable is missing"),
    ],
)
def test_refused_before_anything_is_made(
    person: Person, service: Service, device: DeviceDouble, words: list[str], message: str
) -> None:
    """What is wrong with names and files is seen before the service or the device is asked for anything."""
    from tests.pelion.resources.c_files import DEVELOPER

    person.keep_key()
    text = Path(FILE).read_text()
    Path("wrong.c").write_text(DEVELOPER)
    Path("broken.c").write_text("\nconst uint8_t arm_uc_class_id[] = {256};")
    Path("classless.c").write_text(text.replace("arm_uc_class_id[]", "other[]"))

    done = person.run("provision", *words)

    assert (done.code, done.out) == (4, "")
    assert message in done.err.splitlines()[-1]
    assert "Traceback" not in done.err
    assert_untouched(device, service)
    assert not person.team.exists()


def test_no_key_yet(person: Person, service: Service, device: DeviceDouble) -> None:
    """To make a certificate takes a key; without one nothing is stored either."""
    done = person.run(*SEED)

    assert done.code == 4
    assert (
        "You have not added an API key to the store.; expected 'harness pelion save-api-key' first"
        in done.err
    )
    assert_untouched(device, service)
    assert not person.team.exists()


def test_name_is_taken(person: Person, service: Service, device: DeviceDouble) -> None:
    """A certificate that exists already is not made again, and not used without being asked for."""
    service.client.create_developer_certificate("my-device")
    person.keep_key()

    done = person.run(*SEED)

    assert done.code == 4
    assert "already exists in the Pelion Device Management Portal. (got 'my-device')" in done.err
    assert "my-device" not in open_stores(person.home).team.names()
    assert device.held == {}


def test_name_is_nowhere(person: Person, service: Service, device: DeviceDouble) -> None:
    """A name that nobody knows is answered with those that are known."""
    service.client.create_developer_certificate("that-one")
    person.keep_key()

    done = person.run("provision", "this-one", FILE)

    assert done.code == 4
    assert "The developer certificate does not exist. (got 'this-one')" in done.err
    assert "Available certificates: that-one" in done.err
    assert device.held == {}


def test_no_device_is_selected(person: Person, service: Service) -> None:
    """Without a device nothing is made."""
    person.keep_key()

    for words in (SEED, ("status",)):
        done = person.run(*words)
        assert (done.code, done.out) == (4, "")
        assert "no device is selected; expected 'harness pelion select' first" in done.err
    assert service.client.trusted_certificates() == []


def test_device_is_not_there(person: Person, service: Service, device: DeviceDouble) -> None:
    """A device that does not answer is named before the service is asked for anything."""
    person.keep_key()
    device.refuses = True

    done = person.run(*SEED)

    assert done.code == 1
    assert f"harness: 127.0.0.1:{device.port}: " in done.err
    assert done.err.count("\n") == 1
    assert service.client.trusted_certificates() == []


def test_host_key_is_kept_on_first_use(person: Person, device: DeviceDouble) -> None:
    """The host key of the first use is said and kept; another one is refused from then on."""
    first = person.run("status")
    assert f"its host key is kept, and no other accepted from now on: {device.host_key}" in first.err
    assert person.selection["host_key"] == device.host_key
    assert "host key" not in person.run("status").err

    other = device.host_key[:-8] + "AAAAAAAA"
    (person.home / ".mbl-dev.json").write_text(json.dumps({**person.selection, "host_key": other}))
    done = person.run("status")

    assert done.code == 1
    assert "is another one: its key is" in done.err
    assert [len(commands) for commands in device.connections].count(1) == 2


# -- what goes wrong on the device -----------------------------------------------------------------


# -- status ----------------------------------------------------------------------------------------


def test_fingerprint_is_that_of_the_certificate(
    person: Person, device: DeviceDouble, provisioned_with: Callable[[str], bytes]
) -> None:
    """What the seed calls the update certificate's fingerprint reaches the device beside the certificate."""
    person.keep_key()
    assert person.run(*SEED).code == 0

    certificate = provisioned_with("arm_uc_default_certificate")
    assert provisioned_with("arm_uc_default_fingerprint") == hashlib.sha256(certificate).digest()
