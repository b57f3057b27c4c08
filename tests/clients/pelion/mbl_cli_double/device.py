"""How the public MBL CLI finds a device and speaks to it: sections 1.2 and 1.3 of the pelion fact sheet."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

ATTEMPTS = 3
COMMAND_SECONDS = 300
DISCOVERY_SECONDS = 30.0
DISCOVERY_PAUSE = 0.5


class RemoteFailure(Exception):
    """A command on the device ended with a code of its own."""

    def __init__(self, code: int) -> None:
        super().__init__("Remote command returned a non-zero exit code.")
        self.code = code


class Session:
    """One SSH connection: several commands and transfers may go over it, and it is one connection still."""

    def __init__(self, address: str, port: int, host: str) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="double"))
        configuration = Path.home() / ".ssh/config"
        given = {
            "ControlPath": self._directory / "s",
            "HostName": address,
            "Port": port,
            "User": "root",
            "BatchMode": "yes",
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": "/dev/null",
            "LogLevel": "ERROR",
            "ConnectTimeout": 60,
        }
        self._options = ["-F", str(configuration) if configuration.exists() else "none"]
        self._options += [word for name, value in given.items() for word in ("-o", f"{name}={value}")]
        self._host, self._named = host, f"port {port} on {address}"

    def __enter__(self) -> Self:
        pause = threading.Event()
        for attempt in range(ATTEMPTS):
            said = self._directory / "said"
            with said.open("wb") as output:  # the connection stays behind and keeps what it writes to
                done = subprocess.run(
                    ["ssh", *self._options, "-M", "-N", "-f", self._host],
                    check=False,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                )
            if done.returncode == 0:
                return self
            text = said.read_text(errors="replace").strip()
            if "refused" in text or "No route" in text or "timed out" in text:
                self._remove()
                raise OSError(f"Unable to connect to {self._named}")
            if attempt + 1 < ATTEMPTS:
                pause.wait(float(os.environ.get("DOUBLE_PAUSE", "5")))
        self._remove()
        raise OSError("failed to execute, the error was: SSH session not active")

    def __exit__(self, *_error: object) -> None:
        subprocess.run(["ssh", *self._options, "-O", "exit", self._host], check=False, capture_output=True)
        self._remove()

    def _remove(self) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        return self._do(["ssh", *self._options, self._host, command])

    def check(self, command: str) -> str:
        """Run a command that has to end with 0; what it said is shown."""
        done = self.run(command)
        sys.stdout.write(done.stdout)
        sys.stderr.write(done.stderr)
        if done.returncode:
            raise RemoteFailure(done.returncode)
        return done.stdout

    def put(self, source: Path | str, target: str, *, recursive: bool) -> None:
        self._scp([str(source), f"{self._host}:{shlex.quote(target)}"], recursive=recursive)

    def get(self, source: str, target: Path | str, *, recursive: bool) -> None:
        self._scp([f"{self._host}:{shlex.quote(source)}", str(target)], recursive=recursive)

    def _scp(self, ends: list[str], *, recursive: bool) -> None:
        done = self._do(["scp", "-O", *(["-r"] if recursive else []), *self._options, *ends])
        if done.returncode:
            raise OSError(done.stderr.strip() or "the transfer failed")

    @staticmethod
    def _do(words: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMMAND_SECONDS,
        )


def discover() -> list[tuple[str, str]]:
    """Return name and address of each device, by address."""
    print("Discovering devices. This will take up to 30 seconds.")  # noqa: T201 - as the client says
    pause = threading.Event()
    for _ in range(int(DISCOVERY_SECONDS / DISCOVERY_PAUSE)):
        browse = ["avahi-browse", "--terminate", "--resolve", "--no-fail", "-p", "_ssh._tcp"]
        found: dict[str, str] = {}
        for line in subprocess.run(browse, check=True, capture_output=True, text=True).stdout.splitlines():
            fields = line.split(";")
            if not line.startswith("=") or fields[9].strip('"') != "mblos" or fields[3] in found:
                continue
            found[fields[3]] = f"{fields[7]}%{fields[1]}" if ":" in fields[7] else fields[7]
        if found:
            return sorted(found.items(), key=lambda pair: pair[1])
        pause.wait(DISCOVERY_PAUSE)
    raise ValueError("No devices found!")


def show(devices: Sequence[tuple[str, str]]) -> None:
    """Print a numbered list."""
    for number, (name, address) in enumerate(devices, 1):
        print(f"{number}: {name}: {address}")  # noqa: T201 - as the client says
