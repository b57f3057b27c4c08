"""``harness acme``: Acme's own commands."""

from __future__ import annotations

import typer

app = typer.Typer(help="Acme's own commands.")


@app.callback()
def acme() -> None:
    """Acme's own commands."""


@app.command()
def colours() -> None:
    """List the colours that a lamp can have."""
    typer.echo("amber\nblue")
