"""The vendor's unmodified ``manifest-tool``, old and new: what their C files say reaches the service."""

from __future__ import annotations

import hashlib
import shutil
import sys
import uuid
from typing import TYPE_CHECKING

import pytest

from harness_pelion.resources import UpdateResources
from tests.clients.pelion.world import CLIENTS, MANIFEST_TOOL_1

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.pelion.world import Mbl, Ran, World

FILE = "update_default_resources.c"
#: UUIDv5 of the domain, and of the model below it (pelion fact sheet, section 5.1).
VENDOR = "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe"
CLASS = "4d131344-feab-5a2e-84a2-0dccdd905f35"
SECONDS = 30.0


@pytest.fixture
def empty(world: World) -> World:
    """A home without a C file, with the older tool on the PATH by the name that a user types."""
    (world.home / FILE).unlink()
    (world.home / "bin/manifest-tool").symlink_to(MANIFEST_TOOL_1)
    return world


def init(world: World, domain: str = "arm.com", *more: str) -> Ran:
    """Type the line of the product's document."""
    return world.run("manifest-tool", "init", "-q", "-d", domain, "-m", "dev-device", *more)


def resources(world: World) -> UpdateResources:
    """Read the C file that a tool has written."""
    file = world.home / FILE
    return UpdateResources.from_c(file.read_text(), "update", file=file)


def pelion(world: World, *words: str | Path) -> Ran:
    """Run ``harness pelion``."""
    return world.run(
        sys.executable,
        "-m",
        "harness.cli",
        "pelion",
        *words,
        PELION_URL=world.account.backend.url,
        PELION_API_KEY=world.key,
    )


def provision(world: World, mbl: Mbl) -> tuple[str, str]:
    """Provision the device by our command line, and return vendor and class as the directory shows them."""
    assert pelion(world, "select", "--address", "127.0.0.1", "--port", str(mbl.port)).status == 0
    assert pelion(world, "save-api-key").status == 0
    done = pelion(world, "provision-pelion", "dev", FILE, "--create-dev-cert", "--restart")
    assert done.status == 0, done.errors
    (certificate,) = world.account.developer_certificates()
    device = world.registered_device(certificate.id)
    return device.vendor_id, device.device_class


def test_line_of_the_document(empty: World) -> None:
    """``manifest-tool init -q -d <domain> -m <device class>``: its ids follow from the names by rule."""
    done = init(empty)

    assert done.status == 0, done.errors
    made = resources(empty)
    vendor = uuid.uuid5(uuid.NAMESPACE_DNS, "arm.com")
    assert (str(vendor), str(uuid.uuid5(vendor, "dev-device"))) == (VENDOR, CLASS)
    assert (made.vendor_id, made.class_id) == (uuid.UUID(VENDOR).bytes, uuid.UUID(CLASS).bytes)
    der = (empty.home / ".update-certificates/default.der").read_bytes()
    assert made.certificate_der == der
    assert made.fingerprint == hashlib.sha256(der).digest()


@pytest.mark.parametrize("domain", ["arm", "arm.", ".com"])
def test_domain_that_is_none(empty: World, domain: str) -> None:
    """A domain has two labels; else the tool ends with 1 and writes no C file."""
    failed = init(empty, domain)

    assert failed.status == 1
    assert f'"{domain}" is not a valid domain name.' in failed.output + failed.errors
    assert not (empty.home / FILE).exists()


def test_older_tools_file_reaches_the_service(empty: World, mbl: Mbl) -> None:
    """The device is provisioned with it by our command line, and the directory has its ids."""
    assert init(empty).status == 0

    assert provision(empty, mbl) == (uuid.UUID(VENDOR).hex, uuid.UUID(CLASS).hex)


def test_newer_tools_file_reaches_the_service(empty: World, mbl: Mbl) -> None:
    """``manifest-dev-tool init`` makes random ids: the directory has just those."""
    done = empty.run(CLIENTS / "manifest-dev-tool", "init")
    assert done.status == 0, done.errors
    kept = (empty.home / ".manifest-dev-tool/dev.cfg.yaml").read_text()

    vendor, device_class = provision(empty, mbl)

    assert f"vendor-id: {vendor}" in kept.replace("'", "")
    assert f"class-id: {device_class}" in kept.replace("'", "")
    assert resources(empty).certificate_der == (empty.home / ".manifest-dev-tool/dev.cert.der").read_bytes()


def test_newer_tool_with_given_ids(empty: World) -> None:
    """Ids that are given are taken, and our parser reads them."""
    done = empty.run(
        CLIENTS / "manifest-dev-tool",
        "init",
        "--vendor-id",
        uuid.UUID(VENDOR).hex,
        "--class-id",
        uuid.UUID(CLASS).hex,
    )
    assert done.status == 0, done.errors

    made = resources(empty)

    assert (made.vendor_id.hex(), made.class_id.hex()) == (uuid.UUID(VENDOR).hex, uuid.UUID(CLASS).hex)


def test_file_is_kept_unless_forced(empty: World) -> None:
    """A second line leaves the C file of the first one, and ``-f`` replaces it."""
    assert init(empty).status == 0
    first = (empty.home / FILE).read_bytes()
    init(empty, "example.com")
    assert (empty.home / FILE).read_bytes() == first
    shutil.rmtree(empty.home / ".update-certificates")

    assert init(empty, "example.com", "-f").status == 0

    assert resources(empty).vendor_id == uuid.uuid5(uuid.NAMESPACE_DNS, "example.com").bytes
