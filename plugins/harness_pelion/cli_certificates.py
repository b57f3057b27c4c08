"""Certificates of the account and of the team store: listed and deleted."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.errors import UsageError
from harness_pelion.cli_account import REAL_URL, Url, account, key_of, shown


def add_to(app: typer.Typer) -> None:
    """Add the commands; each has the name of MBL CLI too."""
    app.command("certificates")(show_certificates)
    app.command("list-certificates", hidden=True)(show_certificates)
    app.command("delete-certificate")(delete_certificate)


def show_certificates(
    *,
    local: Annotated[
        bool, typer.Option("--local", help="Only those of the team store; asks nobody.")
    ] = False,
    url: Url = REAL_URL,
) -> None:
    """Show the certificates of the account, then those of the team store."""
    from harness_pelion.stores import open_stores

    stores = open_stores()
    kept = stores.team.names()
    if not local:
        with account(url, key_of(stores.user)) as user:
            found = user.trusted_certificates()
        typer.echo(f"In the account: {len(found)}")
        for certificate in found:
            kind = "developer" if certificate.is_developer else certificate.service
            typer.echo(f"  {shown(certificate.name)}  ({shown(kind)}, {shown(certificate.id)})")
    typer.echo(f"In the team store {stores.team.directory}: {len(kept)}")
    for name, what in kept.items():
        typer.echo(f"  {shown(name)}  ({what})")


def delete_certificate(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the certificate.")],
    *,
    local: Annotated[bool, typer.Option("--local", help="Only in the team store; asks nobody.")] = False,
    url: Url = REAL_URL,
) -> None:
    """Delete a certificate in the account, if it is there, then in the team store.

    Devices that were provisioned with a developer certificate cannot bootstrap with it any more.
    """
    from harness_pelion.stores import check_name, open_stores

    check_name(name, "NAME")
    stores = open_stores()
    deleted: list[str] = []
    if not local:
        with account(url, key_of(stores.user)) as user:
            named = [certificate for certificate in user.trusted_certificates() if certificate.name == name]
            for certificate in named:
                user.delete_certificate(certificate.id)
            deleted += ["in the account"] if named else []
    if stores.team.delete(name):
        deleted.append("in the team store")
    if not deleted:
        raise UsageError("there is no such certificate", key="NAME", value=name)
    typer.echo(f"{name}: deleted {' and '.join(deleted)}")
