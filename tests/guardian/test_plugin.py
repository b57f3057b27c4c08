"""Guardian's hooks."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.contract import Backend
from harness.inventory.board import Board
from harness.inventory.builtin import known_profiles
from harness.plugins import load_object, load_plugins
from harness.redaction import Redactor
from harness_guardian import plugin
from harness_guardian.virtual.board import create
from harness_guardian.virtual.kinds import KINDS

if TYPE_CHECKING:
    from tests.guardian.conftest import Desk
    from tests.guardian.paper_component import PaperComponent


def test_every_kind_has_a_factory_and_a_profile() -> None:
    """What the plugin offers, what the virtual board can be and what profiles describe are the same kinds."""
    offered = {kind.kind: kind for kind in plugin.harness_virtual_boards()}
    profiles = known_profiles(load_plugins())

    assert set(offered) == set(KINDS)
    for name, kind in offered.items():
        assert load_object(kind.factory) is create
        assert (kind.roles, kind.service) == (("console",), "guardian")
        assert (profiles[name].driver, profiles[name].virtual) == ("guardian-component", True)
        twin = profiles[profiles[name].twin_of or ""]
        assert twin.capabilities == profiles[name].capabilities
        assert set(twin.endpoints) == set(kind.roles)
        assert ("agent-over-ssh" in twin.capabilities) is not KINDS[name].console_agent


def test_virtual_board_on_usb_is_found_as_its_twin() -> None:
    """What a kind shows on USB fits the profile of the hardware that it stands for."""
    profiles = known_profiles(load_plugins())
    for kind in plugin.harness_virtual_boards():
        (match,) = profiles[profiles[kind.kind].twin_of or ""].usb
        assert kind.usb is not None
        assert (match.vid, match.pid) == (kind.usb.vendor_id, kind.usb.product_id)
        assert match.manufacturer == kind.usb.manufacturer
        assert match.product == f"{kind.usb.product}*"


def test_plugin_is_light() -> None:
    """Importing the plugin imports nothing heavy: an unused plugin costs nothing."""
    heavy = (
        "pydantic httpx starlette uvicorn cryptography cbor2 hvac joserfc jinja2 paramiko asyncssh rich typer"
    )
    program = (
        "import sys, harness_guardian.plugin\n"
        f"print(*[name for name in {heavy.split()!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer gdn_0123456789abcdefGHIJ",
        "token=gdn_0123456789abcdefGHIJ;",
        "X-Vault-Token: hvs.CAESIJ0123456789abcdefGHIJ",
    ],
)
def test_tokens_are_never_written(text: str) -> None:
    """Tokens of users and of the Vault are taken out of whatever is written, wherever they come from."""
    redacted = Redactor.of_plugins(load_plugins()).redact(text)

    assert "0123456789" not in redacted
    assert "[redacted: " in redacted


def test_given_tokens_are_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token of the environment is a secret whatever it looks like."""
    monkeypatch.setenv("GUARDIAN_TOKEN", "correct horse battery")
    monkeypatch.setenv("GUARDIAN_VAULT_TOKEN", "root-token")

    redacted = Redactor.of_plugins(load_plugins()).redact("it is correct horse battery or root-token")

    assert redacted == "it is [redacted: Guardian token] or [redacted: Vault token]"


def test_only_components_are_driven(desk: Desk) -> None:
    """Boards of other drivers are left to others."""
    board: Any = desk.board()
    board.description = Board(id="x", kind="k", driver="nrf91")

    assert plugin.harness_make_driver(board) is None
    assert plugin.harness_open_endpoint(board, "ssh") is None


def test_board_is_led_to_its_service(desk: Desk, paper: PaperComponent) -> None:
    """A component is told where the service is; other services are none of its business."""
    board = desk.board()
    plugin.harness_introduce_board(board, Backend(name="nrfcloud", mode="fake", url="http://127.0.0.1:1"))
    assert paper.heard == []

    plugin.harness_introduce_board(board, Backend(name="guardian", mode="fake", url="http://127.0.0.1:2"))
    assert paper.service == "http://127.0.0.1:2"
    plugin.harness_introduce_board(board, Backend(name="guardian", mode="fake", url="http://127.0.0.1:3"))
    assert paper.service == "http://127.0.0.1:3"


def test_console_is_not_opened_as_ssh(desk: Desk) -> None:
    """Other roles than SSH are the core's own."""
    assert plugin.harness_open_endpoint(desk.board(), "console") is None
