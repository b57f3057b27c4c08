"""``harness backend``: a fake service for use by hand."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.backends.contract import known_backends
from harness.backends.launcher import start_fake
from harness.cli import backend_check
from harness.cli.interrupts import end_on_signals
from harness.config import runtime_directory
from harness.errors import BackendUnreachable, UsageError

if TYPE_CHECKING:
    from harness.backends.contract import BackendSpec
    from harness.plugins import HarnessPluginManager


def make_app(plugins: HarnessPluginManager) -> typer.Typer:
    """Make the group of commands.

    :param plugins: the loaded plugins.
    """
    app = typer.Typer(
        help="Provisioning services and their fakes.", rich_markup_mode=None, no_args_is_help=True
    )

    @app.command("list")
    def list_backends() -> None:
        """List the services that are known."""
        for spec in known_backends(plugins).values():
            typer.echo(f"{spec.name}: {spec.title}, {'with' if spec.fake else 'without'} a fake")

    @app.command()
    def serve(
        name: Annotated[str, typer.Argument(help="Name of the service, for example nrfcloud.")],
        *,
        port: Annotated[int, typer.Option(help="TCP port on 127.0.0.1; 0: the system chooses.")] = 0,
        option: Annotated[
            list[str] | None,
            typer.Option(help="An option of the fake's own; may be repeated.", metavar="KEY=VALUE"),
        ] = None,
    ) -> None:
        """Serve a fake until Ctrl-C."""
        from harness.backends.serving import parse_options

        spec = find_backend(plugins, name)
        options = {**spec.serve_options, **parse_options(option or [])}
        with (
            tempfile.TemporaryDirectory(prefix="serve-", dir=runtime_directory()) as directory,
            start_fake(spec, Path(directory), lifeline=None, options=options, port=port) as fake,
        ):
            end_on_signals()
            try:
                typer.echo(f"{spec.title} (fake): {fake.backend.url}")
                if fake.backend.secure_url is not None:
                    typer.echo(f"over TLS: {fake.backend.secure_url}")
                for part, address in fake.backend.addresses.items():
                    typer.echo(f"{part}: {address}")
                typer.echo(f"control socket: {fake.backend.control}")
                for label, note in fake.notes.items():
                    typer.echo(f"{label}: {note}")
                typer.echo(f"use it: --backend {spec.name}={fake.backend.url}\nend it: Ctrl-C")
                fake.wait()
            except KeyboardInterrupt:
                return
            said = fake.log.read_text(errors="replace").strip()[-500:]
            raise BackendUnreachable(
                f"the fake of {spec.title} ended by itself: {said or 'its log is empty'}"
            )

    backend_check.add_to(app, lambda name: find_backend(plugins, name))
    return app


def find_backend(plugins: HarnessPluginManager, name: str) -> BackendSpec:
    """Return a service by name.

    :param plugins: the loaded plugins.
    :param name: its name.
    :raises UsageError: no plugin knows it.
    """
    specs = known_backends(plugins)
    if name not in specs:
        raise UsageError(
            "no such service",
            key="NAME",
            value=name,
            expected=" or ".join(specs) or "a service of an installed plugin (harness_backends)",
        )
    return specs[name]
