"""Pelion's hooks."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from harness.inventory.board import Board
from harness.inventory.builtin import known_profiles
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import load_object, load_plugins
from harness.redaction import Redactor
from harness_pelion import plugin
from harness_pelion.client_access import refuse_without_access
from harness_pelion.driver import MblDriver


def test_kind_has_a_factory_and_a_profile() -> None:
    """What the plugin offers and what profiles describe are the same kind, found on USB as its twin."""
    profiles = known_profiles(load_plugins())
    (kind,) = plugin.harness_virtual_boards()

    assert callable(load_object(kind.factory))
    virtual = profiles[kind.kind]
    assert (virtual.driver, virtual.virtual) == ("mbl", True)
    twin = profiles[virtual.twin_of or ""]
    assert (twin.driver, twin.capabilities) == ("mbl", virtual.capabilities)
    assert set(twin.endpoints) == set(kind.roles) == {"console"}
    (match,) = twin.usb
    assert kind.usb is not None
    assert (match.vid, match.pid) == (kind.usb.vendor_id, kind.usb.product_id)
    assert match.manufacturer == kind.usb.manufacturer
    assert match.product == f"{kind.usb.product}*"


def test_backend_is_whole() -> None:
    """Every factory that it names is there, and the real address is that of the fact sheet."""
    (spec,) = plugin.harness_backends()

    assert spec.fake is not None
    assert callable(load_object(spec.fake))
    assert callable(load_object(spec.client))
    assert spec.access is not None
    assert load_object(spec.access) is refuse_without_access
    assert spec.real == {"prod": {"url": "https://api.us-east-1.mbedcloud.com"}}
    assert spec.real_capabilities == frozenset()


def test_driver_is_made_for_its_boards_only() -> None:
    """A board of another vendor gets neither driver nor SSH from here."""
    plugins = load_plugins()
    own = LeasedBoard(Board(id="m", kind="mbl-device", driver="mbl"), plugins, capture_directory=None)
    other = LeasedBoard(Board(id="o", kind="x", driver="nrf91"), plugins, capture_directory=None)

    assert isinstance(plugin.harness_make_driver(own), MblDriver)
    assert plugin.harness_make_driver(other) is None
    assert plugin.harness_open_endpoint(other, "ssh") is None
    assert plugin.harness_open_endpoint(own, "console") is None


def test_plugin_is_light() -> None:
    """Importing the plugin imports nothing heavy: an unused plugin costs nothing."""
    heavy = "pydantic httpx starlette uvicorn cryptography paramiko asyncssh zeroconf scp rich typer"
    program = (
        "import sys, harness_pelion.plugin\n"
        f"print(*[name for name in {heavy.split()!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""


C_ARRAY = """\
const uint8_t MBED_CLOUD_DEV_BOOTSTRAP_DEVICE_PRIVATE_KEY[] =
{0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13,
 0x06, 0x07, 0x2a, 0x86};
"""


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer ak_1MDE2ZDU4YWFhYWFh", "ak_1MDE2ZDU4YWFhYWFh"),
        ("the key ak_1MDE2ZDU4YWFhYWFh; is", "ak_1MDE2ZDU4YWFhYWFh"),
        (C_ARRAY, "0x87, 0x02"),
        (json.dumps({"security_file_content": C_ARRAY}), "0x87, 0x02"),
        (C_ARRAY.replace("[]", "[138]").replace(" =\n{", "={"), "0x2a, 0x86"),
    ],
)
def test_secrets_are_never_written(text: str, secret: str) -> None:
    """API keys, and private keys as C files hold them, are taken out of whatever is written."""
    written = Redactor(plugin.harness_secrets()).redact(text)

    assert secret not in written
    assert "[redacted: " in written


def test_other_arrays_stay_readable() -> None:
    """A certificate is no secret."""
    text = C_ARRAY.replace("DEVICE_PRIVATE_KEY", "DEVICE_CERTIFICATE")

    assert Redactor(plugin.harness_secrets()).redact(text) == text


def test_key_of_the_environment_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever form it has."""
    monkeypatch.setenv("PELION_API_KEY", "old-form-of-a-key")

    assert "old-form" not in Redactor(plugin.harness_secrets()).redact("x old-form-of-a-key y")
