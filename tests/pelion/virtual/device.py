"""A device on a paper bench, and the unmodified clients of OpenSSH that reach it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

from harness_pelion.virtual.board import create
from tests.virtual.paper_bench import PaperBoard

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KIND = "mbl-device-virtual"
DEADLINE = 20.0
UTIL = "/opt/arm/pelion-provisioning-util"


class Device(PaperBoard):
    """A device that is off at first.

    :ivar directory: where its clients keep their files.
    """

    def __init__(self, number: int, options: dict[str, Any], directory: Path) -> None:
        super().__init__(create, KIND, number, options)
        self.directory = directory
        directory.mkdir()

    def options(self) -> list[str]:
        """Return the options that ``ssh`` and ``scp`` need, and no configuration of the user's."""
        access = self.call("ssh")
        key, known = self.directory / "key", self.directory / "known_hosts"
        if not key.exists():
            key.touch(0o600)
            key.write_text(access["private_key_pem"])
        known.write_text(f"[{access['host']}]:{access['port']} {access['host_key']}\n")
        values = {
            "Port": access["port"],
            "BatchMode": "yes",
            "IdentitiesOnly": "yes",
            "IdentityFile": key,
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": known,
            "ConnectTimeout": 10,
        }
        return ["-F", "none", *(word for name, value in values.items() for word in ("-o", f"{name}={value}"))]

    def ssh(self, command: str, stdin: bytes = b"", user: str = "root") -> tuple[int, bytes, bytes]:
        """Run a command by ``ssh``, and return its exit code and what it wrote."""
        return self._run(["ssh", *self.options(), f"{user}@127.0.0.1", command], stdin)

    def put(self, *sources: Path, to: str, options: Sequence[str] = ()) -> tuple[int, bytes, bytes]:
        """Copy files to the device by ``scp -O``."""
        return self._scp([*options, *map(str, sources), f"root@127.0.0.1:{to}"])

    def get(self, source: str, to: Path, options: Sequence[str] = ()) -> tuple[int, bytes, bytes]:
        """Copy files from the device by ``scp -O``."""
        return self._scp([*options, f"root@127.0.0.1:{source}", str(to)])

    def util(self, option: str) -> tuple[int, bytes, bytes]:
        """Run the utility that provisions."""
        return self.ssh(f"{UTIL} {option}")

    def _scp(self, words: list[str]) -> tuple[int, bytes, bytes]:
        return self._run(["scp", "-O", *self.options(), *words], b"")

    def _run(self, words: list[str], stdin: bytes) -> tuple[int, bytes, bytes]:
        environment = {name: value for name, value in os.environ.items() if name != "SSH_AUTH_SOCK"}
        done = subprocess.run(
            words, input=stdin, capture_output=True, check=False, timeout=DEADLINE, env=environment
        )
        return done.returncode, done.stdout, done.stderr
