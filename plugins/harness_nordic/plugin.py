"""Nordic's part of the harness: hook implementations only; nothing heavy is imported before it is used."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness.backends.contract import BackendSpec
from harness.virtual.contract import UsbPresentation, VirtualKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    import typer

    from harness.backends.contract import Backend
    from harness.console import Console
    from harness.inventory.board import Board
    from harness.inventory.leased_board import LeasedBoard
    from harness.redaction import Secret
    from harness_nordic.driver import Nrf91Driver


def _on_usb(product_id: int, serial: str, product: str = "J-Link", vendor: str = "SEGGER") -> UsbPresentation:
    """Describe a board on USB: AT host on interface 0, trace on interface 2."""
    return UsbPresentation(
        vendor_id=0x1366 if vendor == "SEGGER" else 0x1915,
        product_id=product_id,
        manufacturer=vendor,
        product=product,
        serial=serial,
        interfaces={"console": 0, "trace": 2},
    )


# Serial numbers: nrfcloud fact sheet, section 7.6; ids of the kits: there, and testbed fact sheet, section 1.
_NORDIC = "Nordic Semiconductor ASA"
_VIRTUAL_KINDS = {
    "nrf9131ek-virtual": _on_usb(0x1069, "0010510{number:05d}"),
    "nrf9151dk-shell-virtual": _on_usb(0x1069, "0010520{number:05d}"),
    "nrf9151dk-virtual": _on_usb(0x1069, "0010512{number:05d}"),
    "nrf9160dk-virtual": _on_usb(0x1055, "0009600{number:05d}"),
    "nrf9161dk-virtual": _on_usb(0x1069, "0010509{number:05d}"),
    "thingy91-virtual": _on_usb(0x9100, "THINGY91_{number:08X}", "Thingy:91 UART", _NORDIC),
    "thingy91x-virtual": _on_usb(0x910A, "THINGY91X_{number:08X}", "Thingy:91 X UART", _NORDIC),
}

# Kinds of hardware that are there already, with other firmware.
_OTHER_FIRMWARE = frozenset({"nrf9151dk-shell-virtual"})


def harness_virtual_boards() -> Iterable[VirtualKind]:
    """Give the virtual twins of the nRF91 boards."""
    return [
        VirtualKind(
            kind=kind,
            factory="harness_nordic.virtual.board:create",
            roles=("console", "trace"),
            usb=usb,
            only_by_name=kind in _OTHER_FIRMWARE,
            service="nrfcloud",
        )
        for kind, usb in _VIRTUAL_KINDS.items()
    ]


def harness_identify_board(board: Board, console: Console) -> str | None:
    """Ask an nRF91 for its IMEI."""
    if board.driver != "nrf91":
        return None
    from harness_nordic.identify import identify

    spoken = board.endpoints.get("console")
    return identify(console, "" if spoken is None else spoken.discipline)


def harness_make_driver(board: LeasedBoard) -> Nrf91Driver | None:
    """Make the driver ``nrf91``."""
    if board.description.driver != "nrf91":
        return None
    from harness_nordic.driver import Nrf91Driver

    return Nrf91Driver(board)


def _stage(infix: str) -> dict[str, str]:
    """Return where one stage of nRF Cloud is (nrfcloud fact sheet, section 1).

    Of the stages that are not for everybody only the first two are known; the others follow their example.
    """
    return {
        "url": f"https://api.provisioning{infix}nrfcloud.com",
        "core": f"https://api{infix}nrfcloud.com",
        "device": f"https://provisioning-http{infix}nrfcloud.com",
        "coap": f"coaps://coap{infix}nrfcloud.com:5684",
    }


def _accepted() -> frozenset[str]:
    """Return what the owner of a real team accepts there besides what can be undone.

    How a provisioning rule is deleted is not known (nrfcloud fact sheet, section 2.9). Suites make rules only
    in a team that ``NRFCLOUD_OWN_TEAM=yes`` calls one for tests, where they may stay behind.
    """
    return frozenset({"rules"} if os.environ.get("NRFCLOUD_OWN_TEAM") == "yes" else ())


def harness_backends() -> Iterable[BackendSpec]:
    """Give nRF Cloud Identity & Provisioning."""
    return [
        BackendSpec(
            name="nrfcloud",
            title="nRF Cloud Identity & Provisioning",
            client="harness_nordic.client:connect",
            fake="harness_nordic.fake.app:create",
            access="harness_nordic.client_access:refuse_without_access",
            check="harness_nordic.service_check:check",
            capabilities=frozenset(
                {
                    "bulk-details",
                    "coap",
                    "command-control",
                    "command-details",
                    "command-list",
                    "core-details",
                    "device-log",
                    "device-tags",
                    "exact-status",
                    "factory",
                    "faults",
                    "list-filters",
                    "onboarding",
                    "paging",
                    "rule-control",
                    "rule-details",
                    "rules",
                    "tag-details",
                    "tags-by-claim",
                    "portal-commands",
                    "teams",
                    "tls",
                }
            ),
            real_capabilities=_accepted(),
            real={
                "prod": _stage("."),
                "dev": _stage(".dev."),
                "beta": _stage(".beta."),
                "feature": _stage(".feature."),
            },
            serve_options={"team-key": "new"},
        )
    ]


def harness_secrets() -> Iterable[Secret]:
    """Give what boards print and send that proves who they are (nrfcloud fact sheet, sections 4.1 and 4.2).

    JWTs and private keys are secrets everywhere; the core knows them.
    """
    from harness.redaction import Secret

    return [
        # Every attestation token begins with the same bytes: self-described CBOR, five items, type 1.
        Secret(
            label="attestation token",
            pattern=r"2dn3hQFQ[A-Za-z0-9_-]{40,}(?:\.[A-Za-z0-9_-]*)?",
            hint="2dn3hQFQ",
        ),
        # Every COSE_Sign1 by ES256 begins with the same bytes. The look-behind keeps long lines linear.
        Secret(
            label="signed by the board",
            pattern=r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{40,}\.0oRDoQEm[A-Za-z0-9_-]{40,}",
            hint=".0oRDoQEm",
        ),
        *_api_key(),
    ]


def _api_key() -> Iterable[Secret]:
    """Give the key of a real team before anybody uses it, so that nobody who does not need it inherits it."""
    from harness.redaction import SHORTEST_SECRET, Secret

    key = os.environ.get("NRFCLOUD_API_KEY", "").strip()
    if not key and os.environ.get("NRFCLOUD_API_KEY_FILE"):
        from contextlib import suppress

        from harness.errors import UsageError
        from harness_nordic.client_access import read_api_key

        with suppress(UsageError):  # who connects is told
            key = read_api_key("")
    return [Secret(label="nRF Cloud API key", value=key)] if len(key) >= SHORTEST_SECRET else []


def harness_introduce_board(board: LeasedBoard, backend: Backend) -> None:
    """Enrol an nRF91 with the fake's factory registry, and say where the service is.

    A virtual board tells its factory record; the key of any other board is recovered from its signatures.
    """
    if backend.name != "nrfcloud" or board.description.driver != "nrf91":
        return
    from harness_nordic.introduction import introduce

    introduce(board, backend)


def harness_cli_commands() -> Iterable[tuple[str, typer.Typer]]:
    """Give ``harness nrfcloud``."""
    from harness_nordic.cli import make_app

    return [("nrfcloud", make_app())]
