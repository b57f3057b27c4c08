"""What an unmodified client of Pelion's meets: a home, a served fake, a virtual device behind SSH."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.clients.world import BUILD, ROOT, RUN_SECONDS
from tests.pelion.described import described_device

if TYPE_CHECKING:
    from harness.virtual.client import VirtualBoardControls
    from harness_pelion.client import PelionClient
    from harness_pelion.client_models import Device
    from tests.clients.transcripts import Transcript

CLIENTS = BUILD / "pelion-clients" / "bin"
MANIFEST_TOOL_1 = BUILD / "manifest-tool-1" / "bin" / "manifest-tool"
SECONDS = 30.0
HERE = Path(__file__).parent
GOLDEN = ROOT / "tests/pelion/golden"


class Ran(NamedTuple):
    """A client that has ended."""

    status: int
    output: str
    errors: str

    @property
    def json(self) -> Any:
        """The last line of what it said, read as JSON."""
        return json.loads(self.output.splitlines()[-1])


@dataclass(frozen=True)
class World:
    """Runs clients for one test.

    :ivar home: home and working directory of the clients; all that they keep is in it.
    :ivar account: another client of the same account: it says what the service holds.
    :ivar key: the account's key.
    """

    home: Path
    account: PelionClient
    key: str
    transcript: Transcript

    def run(self, *command: str | Path, stdin: str = "", **variables: str) -> Ran:
        """Run a client to its end.

        :param command: its program, and its arguments.
        :param stdin: what is typed for it.
        :param variables: of its environment, besides those that every client gets.
        """
        words = [str(word) for word in command]
        done = subprocess.run(
            words,
            cwd=self.home,
            env={
                "PATH": f"{self.home}/bin:{os.environ['PATH']}",
                "HOME": str(self.home),
                "LANG": "C.UTF-8",
                "MBED_CLOUD_SDK_HOST": self.account.backend.url,
                "DOUBLE_PAUSE": "0.01",
                **variables,
            },
            input=stdin,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        said = "\n".join(part.rstrip() for part in (done.stdout, done.stderr) if part)
        self.transcript.add(f"$ {shlex.join(words)}", f"{said}\n[exit status {done.returncode}]")
        return Ran(done.returncode, done.stdout, done.stderr)

    def registered_device(self, certificate_id: str) -> Device:
        """Wait for the device of a certificate, until it is registered and the directory describes it."""
        return described_device(self.account, certificate_id, SECONDS)

    def sdk(self, operation: str, *arguments: str, key: str | None = None, **variables: str) -> Ran:
        """Do something by the vendor's SDK.

        :param operation: a function of ``sdk_script.py``.
        :param key: instead of the account's.
        """
        variables = {"MBED_CLOUD_SDK_API_KEY": self.key if key is None else key, **variables}
        return self.run(CLIENTS / "python", HERE / "sdk_script.py", operation, *arguments, **variables)


@dataclass(frozen=True)
class Mbl:
    """The double of MBL CLI at a device.

    :ivar device: its controls.
    """

    world: World
    device: VirtualBoardControls
    port: int

    def __call__(self, *words: str, stdin: str = "", address: str = "127.0.0.1", **variables: str) -> Ran:
        """Run ``mbl-cli``."""
        where = ["-a", address] if address else []
        return self.world.run(
            CLIENTS / "python",
            "-m",
            "mbl_cli_double",
            "--port",
            str(self.port),
            *where,
            *words,
            stdin=stdin,
            PYTHONPATH=str(HERE),
            **variables,
        )

    @property
    def team(self) -> Path:
        """The team store."""
        return self.world.home / ".mbl-store/team"

    def items(self) -> dict[str, dict[str, Any]]:
        """Return size and digest of what the device's key store holds."""
        found: dict[str, dict[str, Any]] = self.device.call("kcm")
        return found

    def connections(self) -> list[list[str]]:
        """Return the commands of each connection since the last time."""
        found = self.device.call("connections", clear=True)
        return [each["commands"] for each in found]
