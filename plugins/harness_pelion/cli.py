"""``harness pelion``: a person's provisioning of Mbed Linux devices for Pelion Device Management.

The steps and their names are those of MBL CLI (pelion fact sheet, section 1.1; seed 'Provisioning for Pelion
Device Management'), and so are the files where it keeps what it knows.
"""

from __future__ import annotations

import typer


def make_app() -> typer.Typer:
    """Make the group of commands."""
    from harness_pelion import cli_account, cli_certificates, cli_devices, cli_provisioning

    app = typer.Typer(
        help="Mbed Linux devices and Pelion Device Management by hand. MBL CLI's names work too:"
        " provision-pelion, get-pelion-status and list-certificates.",
        rich_markup_mode=None,
        no_args_is_help=True,
    )
    cli_devices.add_to(app)
    cli_account.add_to(app)
    cli_provisioning.add_to(app)
    cli_certificates.add_to(app)
    return app
