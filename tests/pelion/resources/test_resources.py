"""Developer credentials and update resources: what they tell, and what is no such set."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness_pelion.resources import DeveloperCredentials, UpdateResources
from tests.pelion.resources.c_files import ACCOUNT, DEVELOPER, ENDPOINT

GOLDEN = Path(__file__).parents[1] / "golden"
OLD = (GOLDEN / "update_1_5_2.c").read_text()
NEW = (GOLDEN / "update_2_6_2.c").read_text()
WITHOUT_CLASS = OLD.replace("arm_uc_class_id[]", "arm_uc_another[]")


def test_developer_credentials_tell_what_they_are() -> None:
    """Each value has a name of its own."""
    credentials = DeveloperCredentials.from_c(DEVELOPER, "dev")

    assert credentials.endpoint_name == ENDPOINT
    assert credentials.account_id == ACCOUNT
    assert credentials.server_uri == f"coaps://bootstrap.example.com:5684?aid={ACCOUNT}"
    assert credentials.certificate_der == bytes.fromhex("3082027e000d0a223b2c")
    assert credentials.server_ca_der == bytes.fromhex("308201ff")
    assert credentials.private_key_der == bytes.fromhex("30818702")


def test_no_representation_has_the_key() -> None:
    """What is printed of credentials by mistake has no values."""
    credentials = DeveloperCredentials.from_c(DEVELOPER, "dev")

    assert repr(credentials) == "DeveloperCredentials(name='dev')"


@pytest.mark.parametrize("text", [OLD, NEW], ids=["manifest-tool 1", "manifest-tool 2"])
def test_update_resources_tell_what_they_are(text: str) -> None:
    """The fingerprint is always that of the certificate, also where the file has none."""
    resources = UpdateResources.from_c(text, "update")

    assert (len(resources.vendor_id), len(resources.class_id)) == (16, 16)
    assert resources.fingerprint == hashlib.sha256(resources.certificate_der).digest()


def test_fingerprint_of_the_old_tool() -> None:
    """manifest-tool 1.5.2 wrote the fingerprint of the certificate, as it says."""
    resources = UpdateResources.from_c(OLD, "update")

    assert resources.files["arm_uc_default_fingerprint"] == resources.fingerprint
    assert resources.fingerprint.hex() == "4d14d2daafcc9c189d7448a7faa2df83518630c98ebc26bc642c3124ba1650b7"


def test_file_names() -> None:
    """Each variable is a file to the device."""
    files = UpdateResources.from_c(NEW, "update").bin_files

    assert set(files) == {
        "arm_uc_vendor_id.bin",
        "arm_uc_class_id.bin",
        "arm_uc_default_fingerprint.bin",
        "arm_uc_default_certificate.bin",
        "arm_uc_update_public_key.bin",
    }


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (
            DeveloperCredentials,
            OLD,
            "f.c: is a file of update resources; expected one of developer credentials",
        ),
        (
            UpdateResources,
            DEVELOPER,
            "f.c: is a file of developer credentials; expected one of update",
        ),
        (
            UpdateResources,
            "int main;",
            "f.c: is no file of update resources; expected a C file with arm_uc_default_certificate",
        ),
        (DeveloperCredentials, "", "f.c: is no file of developer credentials"),
        (
            UpdateResources,
            WITHOUT_CLASS,
            "f.c: arm_uc_class_id: a variable is missing; expected arm_uc_class_id",
        ),
        (
            DeveloperCredentials,
            DEVELOPER.replace("SERIAL", "SEREAL"),
            "f.c: MBED_CLOUD_DEV_SERIAL_NUMBER: a variable is missing",
        ),
        (
            UpdateResources,
            OLD.replace("0xfa, 0x6b,", "0xfa,"),
            "f.c: arm_uc_vendor_id: has 15 bytes; expected 16 bytes",
        ),
        (
            DeveloperCredentials,
            DEVELOPER.replace(f'"{ENDPOINT}"', '""'),
            "f.c: MBED_CLOUD_DEV_BOOTSTRAP_ENDPOINT_NAME: is empty",
        ),
    ],
)
def test_wrong_file(kind: type[DeveloperCredentials | UpdateResources], text: str, message: str) -> None:
    """A file of the other kind, or with something missing, is named for what it is."""
    with pytest.raises(UsageError) as raised:
        kind.from_c(text, "name", file="f.c")

    assert message in str(raised.value)


def test_empty_description_is_kept() -> None:
    """What a device says of itself may be empty: the device keeps that."""
    text = DEVELOPER.replace('"dev_device_type"', '""')

    assert DeveloperCredentials.from_c(text, "dev").files["MBED_CLOUD_DEV_DEVICE_TYPE"] == b""


def test_damage_on_purpose() -> None:
    """A suite takes something out or puts something in; the set itself never changes."""
    whole = UpdateResources.from_c(NEW, "update")

    less, other = whole.without("arm_uc_class_id"), whole.with_file("arm_uc_vendor_id", b"x")

    assert "arm_uc_class_id" not in less.files
    assert other.vendor_id == b"x"
    assert len(whole.files) == 5
    assert len(whole.vendor_id) == 16
    with pytest.raises(TypeError):
        whole.files["arm_uc_vendor_id"] = b""  # type: ignore[index]  # that it cannot is the point
