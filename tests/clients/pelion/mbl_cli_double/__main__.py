"""A double of the public MBL CLI, written from the pelion fact sheet alone; nothing of ours is in it.

It stands on the standard library, on OpenSSH's ``ssh`` and ``scp -O``, and on the vendor's unmodified SDK, in
whose environment it is run. The real client always goes to port 22; ``--port`` is the one thing it lacks.
Its quirks are on purpose: the trailing ``r`` that gets lost, 255 for nearly every failure, a broken file of
stores that is overwritten, files that everybody may read, four connections for one provisioning.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import shlex
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from .c_files import UPDATE, parse_c
from .cloud import Cloud
from .device import RemoteFailure, Session, discover, show
from .stores import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

FAILED = 255
TARGET = "/scratch/provisioning-certs"
UTIL = "/opt/arm/pelion-provisioning-util"
NOT_CONFIGURED = (
    "Your device is not correctly configured for Pelion Device Management. "
    "You must provision your device using the provision-pelion command."
)


class Commands:
    """What can be done; each method is a command, with hyphens for underscores."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._given = arguments
        self._selected = Path.home() / ".mbl-dev.json"

    def _address(self) -> str:
        if self._given.address is None:
            return str(json.loads(self._selected.read_text())["address"])
        try:
            ipaddress.ip_address(self._given.address.partition("%")[0])
        except ValueError:
            raise ValueError("Invalid address given.") from None
        return str(self._given.address)

    def _session(self) -> Session:
        return Session(self._address(), self._given.port, self._given.config_hostname)

    def list(self) -> None:
        show(discover())

    def select(self) -> None:
        devices = discover()
        show(devices)
        numbered = dict(enumerate(devices, 1))
        try:
            name, address = numbered[int(input("Select a device from the list: "))]
        except (ValueError, KeyError):
            raise ValueError("Enter a valid device index as shown in the list.") from None
        chosen = {"hostname": name, "address": address, "username": "root", "password": ""}
        self._selected.write_text(json.dumps(chosen))

    def which(self) -> None:
        print(f"None ({self._address()})")  # noqa: T201 - it forgets the name

    def shell(self) -> None:
        with self._session() as session:
            session.check(self._given.cmd)

    def put(self) -> None:
        with self._session() as session:
            session.put(self._given.src, self._given.dst, recursive=self._given.recursive)

    def get(self) -> None:
        with self._session() as session:
            session.get(self._given.src, self._given.dst, recursive=self._given.recursive)

    def save_api_key(self) -> None:
        key = self._given.key.strip()
        Cloud(key).validate()
        Store.user().api_key = key

    def provision_pelion(self) -> None:
        """Do the eight steps of section 1.6."""
        developer, update, team = self._given.dev_cert_name, self._given.update_cert_name, Store.team()
        if self._given.parse_update_cert is not None:
            team.add(update, parse_c(Path(self._given.parse_update_cert).read_text(), *UPDATE))
        if self._given.create_dev_cert:
            team.add(developer, Cloud(Store.user().api_key).create(developer))
        if developer not in team.names:
            print("The developer certificate is not in the store; looking in the cloud.")  # noqa: T201 - a notice
            team.add(developer, Cloud(Store.user().api_key).find(developer))
        places = [team.place(developer), team.place(update)]
        with self._session() as session:
            session.check(f"rm -r -f {shlex.quote(TARGET)}")
            session.check(f"mkdir -p {shlex.quote(TARGET)}")
        try:
            with self._session() as session:
                for place in places:
                    session.put(place, TARGET, recursive=True)
                for place in places:
                    session.check(f"mv {TARGET}/{shlex.quote(place.name)}/* {shlex.quote(TARGET)}")
            with self._session() as session:
                session.check(f"{UTIL} --provision")
        finally:
            with self._session() as session:
                session.check(f"rm -r -f {shlex.quote(TARGET)}")

    def get_pelion_status(self) -> None:
        with self._session() as session:
            done = session.run(f"{UTIL} --get-pelion-status")
        if done.returncode:
            raise ValueError(NOT_CONFIGURED)
        sys.stdout.write(done.stdout)

    def list_certificates(self) -> None:
        names = [name for name, _ in Cloud(Store.user().api_key).named()]
        print("\n".join([*names, *Store.team().names]))  # noqa: T201 - the answer

    def delete_certificate(self) -> None:
        Cloud(Store.user().api_key).delete(self._given.name)
        Store.team().remove(self._given.name)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line of section 1.1, with a port besides."""
    made = argparse.ArgumentParser(prog="mbl-cli")
    made.add_argument("-a", "--address")
    made.add_argument("-c", "--config-hostname", default="mbl-device")
    made.add_argument("-v", "--verbose", action="store_true")
    made.add_argument("-q", "--quiet", action="store_true")
    made.add_argument("--port", type=int, default=22)
    commands = made.add_subparsers(dest="command", required=True)
    for name in ("list", "select", "which", "get-pelion-status", "list-certificates"):
        commands.add_parser(name)
    for name in ("get", "put"):
        transfer = commands.add_parser(name)
        transfer.add_argument("src")
        transfer.add_argument("dst")
        transfer.add_argument("-r", "--recursive", action="store_true")
    commands.add_parser("shell").add_argument("cmd")
    commands.add_parser("save-api-key").add_argument("key")
    commands.add_parser("delete-certificate").add_argument("name")
    provision = commands.add_parser("provision-pelion")
    provision.add_argument("dev_cert_name")
    provision.add_argument("update_cert_name")
    provision.add_argument("-c", "--create-dev-cert", action="store_true")
    provision.add_argument("-p", "--parse-update-cert")
    return made


def main(words: Sequence[str]) -> int:
    """Run a command and return the exit code."""
    given = parser().parse_args(words)
    try:
        getattr(Commands(given), given.command.replace("-", "_"))()
    except Exception as error:  # noqa: BLE001 - every failure ends so
        sys.stderr.write(traceback.format_exc() if given.verbose else f"{error}\n")
        return error.code if isinstance(error, RemoteFailure) else FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
