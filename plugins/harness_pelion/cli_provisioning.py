"""The selected device: provisioned, and asked whether it is."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path  # noqa: TC003 - typer asks for it
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import BoardFault
from harness_pelion.cli_account import REAL_URL, Url, lazy_account
from harness_pelion.cli_devices import working

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness_pelion.driver_steps import RemoteDevice

_NOT_CONFIGURED = (
    "Your device is not correctly configured for Pelion Device Management."
    " You must provision your device using the provision-pelion command."
)


def add_to(app: typer.Typer) -> None:
    """Add the commands; each has the name of MBL CLI too."""
    app.command("provision")(provision)
    app.command("provision-pelion", hidden=True)(provision)
    app.command("status")(show_status)
    app.command("get-pelion-status", hidden=True)(show_status)


def provision(
    certificate: Annotated[
        str, typer.Argument(metavar="CERT", help="Name of the developer certificate, at most 100 characters.")
    ],
    update: Annotated[
        str,
        typer.Argument(
            metavar="UPDATE", help="C file of the update resources, or the name by which they are stored."
        ),
    ],
    *,
    create: Annotated[
        bool, typer.Option("-c", "--create-dev-cert", help="Make the developer certificate first.")
    ] = False,
    file: Annotated[
        Path | None,
        typer.Option(
            "-p",
            "--parse-update-cert",
            metavar="FILE",
            help="C file of the update resources, to be stored by the name UPDATE first.",
        ),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Then restart the device's client, so that it connects at once.")
    ] = False,
    url: Url = REAL_URL,
) -> None:
    """Provision the selected device with a developer certificate and update resources.

    What is made or read is kept in the team store, and used from there the next time.
    """
    from harness_pelion.driver_models import FOLDER, RESTART_CLIENT
    from harness_pelion.provisioning import inject, prepare, understand
    from harness_pelion.stores import open_stores

    wish = understand(certificate, update, create=create, file=file)
    with _selected() as device:
        stores = open_stores()
        with lazy_account(url, stores.user) as account:
            developer, resources = prepare(wish, stores.team, account, _say)
        try:
            with working(f"{device.name}: putting {developer.name} and {resources.name} onto the device"):
                outcome = inject(device, developer, resources)
        except KeyboardInterrupt:
            _say("harness: interrupted")
            raise
        finally:
            if device.folder_left:
                _say(f"harness: warning: {device.name}: remove {FOLDER}: there may be a private key in it")
        typer.echo(_shown(outcome.output))
        if restart:
            device.must(RESTART_CLIENT)
            typer.echo("The device's client is restarted; it bootstraps and registers now.")
    _say("next: harness pelion status")


def show_status() -> None:
    """Ask the selected device whether it is configured for Pelion Device Management."""
    from harness_pelion.driver_models import CONFIGURED

    with _selected() as device, working(f"{device.name}: querying the device"):
        status = device.status()
    if not status.configured:
        raise BoardFault(f"{_NOT_CONFIGURED} The device says: {status.reason}")
    typer.echo(CONFIGURED)


@contextmanager
def _selected() -> Iterator[RemoteDevice]:
    """Give the selected device until the block ends; on its first use its host key is kept.

    SIGTERM and SIGHUP end what is under way as Ctrl-C does: the private key must not stay on the device.
    """
    import signal

    from harness.ssh import SshConnection
    from harness_pelion.driver_steps import RemoteDevice
    from harness_pelion.selection import load_selection, pinned

    with ExitStack() as resources:
        for number in (signal.SIGTERM, signal.SIGHUP):
            before = signal.signal(number, signal.default_int_handler)
            resources.callback(signal.signal, number, before)
        chosen = load_selection()
        known = pinned(chosen)
        if known != chosen:
            _say(f"{known.name}: its host key is kept, and no other accepted from now on: {known.host_key}")
        connection = SshConnection(known.ssh_address(), known.name)
        resources.callback(connection.close)
        yield RemoteDevice(connection, known.name)


def _shown(said: str) -> str:
    """Return what a device said as a terminal may have it: its lines, and no control characters."""
    lines = said.rstrip().splitlines()
    return "\n".join(line if line.isprintable() else ascii(line)[1:-1] for line in lines)


def _say(text: str) -> None:
    """Say what is done, beside what programs read."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
