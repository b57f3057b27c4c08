"""Sessions that give secrets away in every way that we know, and what each of them leaves behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.measuring import unmeasured
from tests.pytest_plugin.leaks import leaky
from tests.pytest_plugin.leaks.search import files_below

if TYPE_CHECKING:
    from collections.abc import Sequence

REPOSITORY = Path(__file__).parents[3]
SECONDS = 180
CANARIES = ("api key", "private key", "pre-shared key", "attestation token", "jwt", "fixture", "hook")
#: Given to the session by its environment.
GIVEN = {
    "hook": "hook-canary/with+odd \"'&<chars>\\n%41",
    "fixture": "fixture canary é, with odd \"'&<chars>",
    "crash": "canary-of-a-worker-that-died",
    "environment": "environment-canary-0123456789abcdef",
    "pre-shared key": "0badc0de5eed1e55feedfacecafebeef",
}


@dataclass
class Leavings:
    """What a session left behind.

    :ivar canaries: the secrets by name.
    :ivar sinks: contents by name of the sink.
    :ivar arguments: command lines of its processes.
    :ivar environments: environments of its bench and its fakes.
    """

    code: int
    canaries: dict[str, str]
    sinks: dict[str, bytes]
    arguments: list[bytes]
    environments: list[bytes] = field(default_factory=list)


def run_session(
    directory: Path, arguments: Sequence[str], *, redacted: bool = True, defects: Sequence[str] = ()
) -> Leavings:
    """Run the leaky suite.

    :param directory: where the suite is to be; everything is written below it.
    :param arguments: for pytest, besides those that every run has.
    :param redacted: whether redaction is on.
    :param defects: names of the defects that it has.
    """
    # Short, since sockets are below it; below it is everything that the session may write to.
    place = Path(tempfile.mkdtemp(prefix="lk"))
    try:
        for name, text in leaky.FILES.items():
            (directory / name).write_text(text, encoding="utf-8")
        notes = place / "notes"
        notes.write_text("")
        environment = _environment(place, notes, directory, redacted=redacted, defects=defects)
        _make_key(directory.parent / "key.pem")
        command = [sys.executable, "-m", "pytest", *_options(directory), *arguments]
        pipe = subprocess.PIPE
        with (
            subprocess.Popen(command, cwd=directory, env=environment, stdout=pipe, stderr=pipe) as process,
            _Watch(place) as watch,
        ):
            out, err = process.communicate(timeout=SECONDS)
        noted = map(json.loads, notes.read_text().splitlines())
        canaries = {"environment": GIVEN["environment"], **dict(noted)}
        notes.unlink()
        sinks = {"terminal": out, "standard error": err}
        for file in files_below([directory, place]):
            if file.suffix not in {".py", ".pyc", ".ini"}:
                name = _sink(file, directory)
                sinks[name] = sinks.get(name, b"") + file.name.encode() + b"\n" + file.read_bytes() + b"\n"
        return Leavings(process.returncode, canaries, sinks, watch.arguments, watch.environments)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _environment(
    place: Path, notes: Path, directory: Path, *, redacted: bool, defects: Sequence[str]
) -> dict[str, str]:
    plugins = ["tests.pytest_plugin.toy.vendor"]
    if not redacted:
        plugins.append("tests.pytest_plugin.leaks.unredacted")
    if defects:
        plugins.append("tests.pytest_plugin.leaks.defects")
    inherited = {
        name: value
        for name, value in unmeasured(os.environ).items()
        if not name.startswith(("PYTEST", "LEAK", "HARNESS", "NRFCLOUD"))
    }
    return inherited | {
        "HARNESS_PLUGINS": ",".join(plugins),
        "HARNESS_RUNTIME_DIR": str(place / "r"),
        "HARNESS_STATE_DIR": str(place / "state"),
        "TMPDIR": str(place),
        "PYTHONPATH": str(REPOSITORY),
        "TOY_LOG": str(place / "toy.log"),
        "NRFCLOUD_API_KEY": GIVEN["environment"],
        **({"LEAK_DEFECT": ",".join(defects)} if defects else {}),
        "CANARIES": json.dumps(GIVEN),
        "CANARY_NOTES": str(notes),
        "CANARY_KEY": str(directory.parent / "key.pem"),
    }


def _options(directory: Path) -> list[str]:
    off = ("randomly", "pytest_cov", "hypothesispytest", "anyio")
    return [
        *(argument for name in off for argument in ("-p", f"no:{name}")),
        *("--bench", "virtual", "--boards", "toy-a=1,nrf9151dk-virtual=1", "--backend", "nrfcloud=fake"),
        *("-ra", "--showlocals", "--continue-on-collection-errors"),
        f"--junitxml={directory / 'junit.xml'}",
        f"--alluredir={directory / 'allure'}",
        f"--summary={directory / 'summary.html'}",
        f"--log-file={directory / 'log.txt'}",
        "--log-file-level=INFO",
    ]


def _make_key(file: Path) -> None:
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(file)],
        check=True,
        capture_output=True,
    )


def _sink(file: Path, directory: Path) -> str:
    """Name the sink that a file belongs to."""
    if not file.is_relative_to(directory):
        return "left behind"
    inside = file.relative_to(directory)
    if inside.parts[0] == "allure":
        for kind in ("result", "container", "attachment"):
            if f"-{kind}" in file.name:
                return f"allure {kind}s"
        return "allure"
    return "cache" if inside.parts[0] == ".pytest_cache" else str(inside)


class _Watch:
    """Reads the command lines of all processes of a session while it runs."""

    def __init__(self, place: Path) -> None:
        self._mark = f"HARNESS_RUNTIME_DIR={place / 'r'}".encode()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_again)
        self._seen: set[bytes] = set()
        self._environments: set[bytes] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_problem: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def arguments(self) -> list[bytes]:
        return sorted(self._seen)

    @property
    def environments(self) -> list[bytes]:
        return sorted(self._environments)

    def _look_again(self) -> None:
        while not self._ended.wait(0.1):
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):  # it has ended, or is not ours
                    self._look(process)

    def _look(self, process: Path) -> None:
        environment = (process / "environ").read_bytes()
        if self._mark not in environment.split(b"\0"):
            return
        arguments = (process / "cmdline").read_bytes().replace(b"\0", b" ")
        self._seen.add(arguments)
        if b"harness.virtual.daemon" in arguments or b"harness.backends.serving" in arguments:
            self._environments.add(environment)
