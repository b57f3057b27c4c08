"""Devices around: found by multicast DNS, listed, and one of them selected."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path  # noqa: TC003 - typer asks for it
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import RigFault, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness_pelion.discovery import FoundDevice

_USUAL_PORT, _LARGEST_PORT = 22, 65535
_DISCOVERY_SECONDS = 30.0
_MOST_DIGITS = 6

Timeout = Annotated[
    float, typer.Option(metavar="SECONDS", min=0.1, help="How long to wait for a device to answer.")
]
Interface = Annotated[
    list[str] | None,
    typer.Option(
        "--interface",
        metavar="ADDRESS",
        help="Look only where this host has the address. Default: everywhere.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("list")(show_devices)
    app.command("select")(select)
    app.command("which")(show_selected)


def show_devices(*, timeout: Timeout = _DISCOVERY_SECONDS, interface: Interface = None) -> None:
    """Find devices, and list them."""
    _print(_find(timeout, interface))


def select(
    device: Annotated[
        str,
        typer.Argument(
            metavar="[INDEX|NAME]", help="Number in the list, or host name. Default: you are asked."
        ),
    ] = "",
    *,
    address: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Select the device at this address; look for none.")
    ] = "",
    port: Annotated[
        int | None,
        typer.Option(min=1, max=_LARGEST_PORT, help="TCP port of its SSH, with --address. Default: 22."),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Your private key, for a device that does not let in everybody."),
    ] = None,
    timeout: Timeout = _DISCOVERY_SECONDS,
    interface: Interface = None,
) -> None:
    """Find devices, list them, and keep which one you work with.

    The device's host key is kept when it is used first; selecting it again forgets that key.
    """
    from harness_pelion.selection import Selection, save_selection
    from harness_pelion.store_files import is_file

    if key_file is not None and not is_file(key_file):
        raise UsageError("there is no such file", file=key_file, key="--key-file", expected="a private key")
    if port is not None and not address:
        raise UsageError("goes with --address only", key="--port", value=port, expected="both, or neither")
    ours = "" if key_file is None else str(key_file.absolute())
    if address:
        chosen = Selection(
            hostname=device, address=_address(address), port=port or _USUAL_PORT, key_file=ours
        )
    else:
        found = _find(timeout, interface)
        _print(found)
        one = _choose(found, device or _asked())
        chosen = Selection(hostname=one.name, address=one.address, port=one.port, key_file=ours)
    save_selection(chosen)
    typer.echo(f"selected: {chosen.name} ({chosen.address})")


def show_selected() -> None:
    """Show the selected device."""
    from harness_pelion.selection import load_selection

    chosen = load_selection()
    port = "" if chosen.port == _USUAL_PORT else f", port {chosen.port}"
    typer.echo(f"{chosen.hostname or '-'} ({chosen.address}{port})")


@contextmanager
def working(text: str) -> Iterator[None]:
    """Say on standard error what takes long; on a terminal as long as it does."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False, markup=False)
    if not console.is_terminal:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
        yield
        return
    with console.status(text):
        yield


def _find(timeout: float, interfaces: Sequence[str] | None) -> list[FoundDevice]:
    from harness_pelion.discovery import discover

    with working(f"Discovering devices. This will take up to {timeout:g} seconds."):
        found = discover(timeout, interfaces=interfaces or ())
    if not found:
        raise RigFault("No devices found! Is the device on, and in the same network? Else use --address.")
    return found


def _print(found: Sequence[FoundDevice]) -> None:
    for number, device in enumerate(found, 1):
        port = "" if device.port == _USUAL_PORT else f" port {device.port}"
        typer.echo(f"{number}: {device.name}: {device.address}{port}")


def _asked() -> str:
    """Return what a person, or a script, says on standard input."""
    sys.stderr.write("Select a device from the list: ")
    sys.stderr.flush()
    return sys.stdin.readline(1024).strip()


def _choose(found: Sequence[FoundDevice], said: str) -> FoundDevice:
    if said.isdecimal() and said.isascii() and len(said) < _MOST_DIGITS and 1 <= int(said) <= len(found):
        return found[int(said) - 1]
    named = [device for device in found if said and said in {device.name, device.address}]
    if len(named) == 1:
        return named[0]
    raise UsageError(
        "Enter a valid device index as shown in the list.",
        key="INDEX|NAME",
        value=said,
        expected=f"1 to {len(found)}, or a name" if len(found) > 1 else "1, or the name",
    )


def _address(text: str) -> str:
    if not text.isprintable() or not text.isascii() or " " in text or text[0] in "-.":
        raise UsageError("no address", key="--address", value=text, expected="an IP address or a host name")
    return text
