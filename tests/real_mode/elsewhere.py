"""A session against a contrarian fake, as if it were a service elsewhere.

The fake decides every unknown the other way. The session knows of it what it would know of the real service:
an address, and what lets it in, in files that only their owner may read.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.backends.contract import Backend, known_backends
from harness.backends.launcher import start_fake
from harness.config import runtime_directory
from harness.plugins import load_plugins

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SECONDS = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the session is given.

    :ivar fake: the contrarian fake, with the control socket that the session does not get.
    :ivar arguments: of pytest.
    :ivar environment: of the session.
    """

    fake: Backend
    arguments: tuple[str, ...]
    environment: dict[str, str]

    def run_suites(self, arguments: Sequence[str], *, deadline: float) -> subprocess.CompletedProcess[str]:
        """Run the suites of the service.

        :param arguments: more of them, for pytest.
        :param deadline: seconds.
        """
        command = [sys.executable, "-m", "harness.cli", "run", self.fake.name, *self.arguments, *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=deadline, check=False
        )


def start_contrarian(
    resources: ExitStack, service: str, options: Mapping[str, str] | None = None
) -> tuple[Backend, Path]:
    """Start the contrarian fake of a service; return it with a directory for what belongs to it.

    :param resources: ends both.
    :param options: of the fake, besides.
    """
    spec = known_backends(load_plugins())[service]
    directory = tempfile.TemporaryDirectory(prefix="real-", dir=runtime_directory())
    place = Path(resources.enter_context(directory))
    served = start_fake(spec, place, lifeline=None, options={"contrarian": "yes", **(options or {})})
    return resources.enter_context(served).backend, place


def private_file(place: Path, name: str, secret: str) -> str:
    """Write what lets somebody in where only its owner may read it; return the path."""
    file = place / name
    file.touch(0o600)
    file.write_text(secret)
    return str(file)


def environment_without(*prefixes: str) -> dict[str, str]:
    """Return our environment without what would let the session in otherwise."""
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


def run_as_command(make_world: Callable[[ExitStack], World]) -> int:
    """Run all suites with the command line's arguments; return the exit code."""
    with ExitStack() as held:
        done = make_world(held).run_suites(sys.argv[1:], deadline=SECONDS)
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    return done.returncode
