"""``harness profile``: work on board profiles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.inventory.profile_drafting import Draft
    from harness.inventory.usb_devices import UsbDevice
    from harness.plugins import HarnessPluginManager

_SUFFIX = ".toml"


def make_app(plugins: HarnessPluginManager) -> typer.Typer:
    """Make the commands.

    :param plugins: the loaded plugins.
    """
    app = typer.Typer(help="Check and draft board profiles.", rich_markup_mode=None, no_args_is_help=True)

    @app.command()
    def check(
        files: Annotated[
            list[Path], typer.Argument(help="Profiles, or directories of them.", metavar="FILE...")
        ],
    ) -> None:
        """Check that profiles are well formed; the first mistake is shown with what was expected."""
        from harness.inventory.profiles import load_profiles

        profiles = load_profiles(files, complete=False)
        if not profiles:
            raise UsageError(
                "no profile here", file=", ".join(map(str, files)), expected="files named KIND.toml"
            )
        for profile in profiles.values():
            roles = ", ".join(profile.endpoints)
            typer.echo(f"{profile.name}: {profile.title}, driver {profile.driver}, endpoints {roles}")

    @app.command()
    def new(
        port: Annotated[
            str, typer.Argument(metavar="PORT", help="A port of the board, for example /dev/ttyACM0.")
        ],
        *,
        name: Annotated[
            str | None, typer.Option(metavar="KIND", help="The kind's name. Default: after the product's.")
        ] = None,
        output: Annotated[
            Path | None,
            typer.Option(
                "-o", "--output", metavar="FILE", help="Write it there, named KIND.toml. Default: print it."
            ),
        ] = None,
    ) -> None:
        """Draft a profile from what a board shows on USB. The port is not opened."""
        _draft(plugins, port, name=name, output=output)

    return app


def _draft(plugins: HarnessPluginManager, path: str, *, name: str | None, output: Path | None) -> None:
    from harness.by_hand import tell
    from harness.inventory.profile_drafting import FILL_IN, draft, name_of_kind

    device = _device_with(path)
    port = next(one for one in device.ports if _same(one.device, path))
    drafted = draft(port, device.ports, name=_name(name, output) or name_of_kind(port))
    _check(drafted)
    fitting = _fitting(plugins, device)  # before the draft itself may be among the profiles
    if fitting is not None:
        tell(f"profile {fitting} fits this board already")
    if output is None:
        typer.echo(drafted.text, nl=False)
    else:
        _write(drafted, output)
    tell(
        f"{output or drafted.name} is a draft; decide what is marked {FILL_IN}: {', '.join(drafted.fill_in)}"
    )


def _name(name: str | None, output: Path | None) -> str | None:
    """Return the kind's name, which is that of its file.

    :raises UsageError: the two differ.
    """
    if output is not None and output.suffix != _SUFFIX:
        raise UsageError("a profile's file is named KIND.toml", key="-o", value=str(output))
    if "/" in (name or ""):
        raise UsageError("is no name", key="--name", value=name, expected="a name without directories")
    if output is None:
        return name
    if name is not None and name != output.stem:
        raise UsageError(
            "the file's name is the kind's name", key="--name", value=name, expected=repr(output.stem)
        )
    return output.stem


def _device_with(path: str) -> UsbDevice:
    """Return the USB device that has a port.

    :raises UsageError: there is no such port, or it is not on USB.
    """
    from harness.inventory.serial_ports import list_serial_ports
    from harness.inventory.usb_devices import usb_devices

    ports = list_serial_ports()
    for device in usb_devices(ports):
        if any(_same(port.device, path) for port in device.ports):
            return device
    if any(_same(port.device, path) for port in ports):
        raise UsageError(
            "is not on USB, and so no profile finds it",
            key="PORT",
            value=path,
            expected="a port on USB; describe a board behind any other in rig.toml",
        )
    known = ", ".join(port.device for port in ports if port.vid is not None)
    raise UsageError(
        "no such serial port here", key="PORT", value=path, expected=known or "a board plugged in"
    )


def _same(device: str, path: str) -> bool:
    return device == path or Path(device).resolve() == Path(path).resolve()


def _check(drafted: Draft) -> None:
    """See that a draft is a profile.

    :raises UsageError: it is not: the kind's name does not fit.
    """
    import tempfile

    from harness.inventory.profiles import load_profile

    with tempfile.TemporaryDirectory(prefix="harness-profile-") as directory:
        trial = Path(directory) / f"{drafted.name}{_SUFFIX}"
        trial.write_text(drafted.text, encoding="utf-8")
        try:
            load_profile(trial)
        except UsageError as error:
            text = str(error).replace(str(trial), trial.name)
            raise UsageError(f"nothing was written: {text}") from error


def _write(drafted: Draft, file: Path) -> None:
    """Write a draft where no file is.

    :raises UsageError: there is one, or it cannot be written.
    """
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(drafted.text)
    except FileExistsError as error:
        raise UsageError(
            "is there already, and is not overwritten", key="-o", value=str(file), expected="another name"
        ) from error
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", key="-o", value=str(file)) from error


def _fitting(plugins: HarnessPluginManager, device: UsbDevice) -> str | None:
    from harness.inventory.builtin import known_profiles
    from harness.inventory.usb_devices import fitting_profile

    fitting = fitting_profile(known_profiles(plugins), device.ports)
    return None if fitting is None else fitting.name
