"""What an unmodified client meets: boards in a USB lab, and the real service's hosts that lead to a fake.

A client is told nothing of all this but by the environment (nrfcloud fact sheet, section 8).
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.clients.tls_records import decrypt, read_key_log
from tests.clients.transcripts import line_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.virtual.client import VirtualBoardControls
    from harness_nordic.client import NrfCloudClient
    from tests.clients.connect_proxy import ConnectProxy
    from tests.clients.transcripts import Transcript

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "clients"
BIN = BUILD / "nordic-clients" / "bin"
TRANSCRIPTS = BUILD / "transcripts"

#: Every host that the clients know, in every stage (nrfcloud fact sheet, section 1).
HOSTS = tuple(
    f"{start}{stage}nrfcloud.com"
    for start in ("api.provisioning", "api")
    for stage in (".", ".dev.", ".beta.", ".feature.")
)
RUN_SECONDS = 120.0
WAIT_SECONDS = 30.0


class HttpMessage(NamedTuple):
    """One side of an exchange."""

    start: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class Exchange(NamedTuple):
    """One request and its answer, as they went over TLS."""

    host: str
    request: HttpMessage
    answer: HttpMessage

    @property
    def status(self) -> int:
        """Status of the answer."""
        return int(self.answer.start.split()[1])

    @property
    def call(self) -> str:
        """Method and path."""
        return self.request.start.rpartition(" ")[0]


class Ran(NamedTuple):
    """A client that has ended.

    :ivar output: what it said, errors too, in their order.
    :ivar exchanges: what it asked of the service meanwhile.
    """

    status: int
    output: str
    exchanges: list[Exchange]


@dataclass(frozen=True, slots=True)
class ClientBoard:
    """A virtual board under the hands of a client.

    :ivar id: its identity on the bench.
    :ivar port: its console's name, as a user would type it.
    :ivar record: its factory record.
    :ivar discipline: what its line speaks.
    :ivar controls: the bench's controls of it.
    """

    id: str
    port: str
    record: dict[str, Any]
    discipline: str
    controls: VirtualBoardControls

    @property
    def uuid(self) -> str:
        """Its device UUID."""
        return str(self.record["uuid"])

    @property
    def imei(self) -> str:
        """Its IMEI."""
        return str(self.record["imei"])

    def digests(self, sec_tag: int) -> dict[int, str]:
        """Return what its modem holds under a tag: digests by type."""
        entries = self.controls.call("credentials")
        return {entry["type"]: entry["digest"].upper() for entry in entries if entry["tag"] == sec_tag}

    def typed(self) -> list[str]:
        """Return what was typed on its line, line by line."""
        sent = b"".join(bytes.fromhex(data) for way, data in self.controls.call("line_traffic") if way == ">")
        return [line.strip() for line in sent.decode().replace("\r", "\n").split("\n") if line.strip()]


class World:
    """Runs clients for one test."""

    def __init__(
        self,
        *,
        environment: dict[str, str],
        proxy: ConnectProxy,
        key_log: Path,
        ca: Path,
        directory: Path,
        transcript: Transcript,
    ) -> None:
        self._proxy = proxy
        self._key_log = key_log
        self._transcript = transcript
        self._seen = 0
        self.directory = directory
        self.environment: dict[str, str] = {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": str(directory),
            "LANG": "C.UTF-8",
            "HTTPS_PROXY": proxy.url,
            "REQUESTS_CA_BUNDLE": str(ca),
            "CURL_CA_BUNDLE": str(ca),
            "SSLKEYLOGFILE": str(key_log),
            **{name: environment[name] for name in ("LD_PRELOAD", "UMOCKDEV_DIR") if name in environment},
        }

    def run(self, *command: str, env: dict[str, str] | None = None, stdin: str = "") -> Ran:
        """Run a client to its end.

        :param command: its name, and its arguments.
        :param env: further variables.
        :param stdin: what is typed for it.
        """
        done = subprocess.run(
            command,
            cwd=self.directory,
            env={**self.environment, **(env or {})},
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        exchanges = self._new_exchanges()
        self._transcript.add(
            f"$ {shlex.join(command)}", f"{done.stdout.rstrip()}\n[exit status {done.returncode}]"
        )
        for exchange in exchanges:
            self._transcript.add(f"https://{exchange.host}", _shown(exchange))
        return Ran(done.returncode, done.stdout, exchanges)

    def start(self, *command: str) -> RunningClient:
        """Start a client that needs something of us before it can end."""
        return RunningClient(self, command)

    def _new_exchanges(self) -> list[Exchange]:
        tunnels = self._proxy.tunnels[self._seen :]
        self._seen += len(tunnels)
        if not tunnels:
            return []
        secrets = read_key_log(self._key_log.read_text())
        found = []
        for tunnel in tunnels:
            sent, received = decrypt(bytes(tunnel.sent), bytes(tunnel.received), secrets)
            requests, answers = _messages(sent), _messages(received)
            assert len(requests) == len(answers), f"a request without an answer: {sent!r}"
            found += [Exchange(tunnel.host, *pair) for pair in zip(requests, answers, strict=True)]
        return found


class RunningClient:
    """A client that runs; its end is waited for when the block ends."""

    def __init__(self, world: World, command: Sequence[str]) -> None:
        self._ran: Ran | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, args=(world, command), daemon=True)
        self._thread.start()

    def _work(self, world: World, command: Sequence[str]) -> None:
        try:
            self._ran = world.run(*command)
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._error = error

    @property
    def ended(self) -> bool:
        """Whether it has."""
        return not self._thread.is_alive()

    def wait(self) -> Ran:
        """Wait for its end."""
        self._thread.join(RUN_SECONDS + 10)
        if self._error is not None:
            raise self._error
        assert self._ran is not None, "the client did not end"
        return self._ran


def wait_until(condition: Callable[[], bool], what: str, client: RunningClient | None = None) -> None:
    """Wait for what no event tells of.

    :param condition: asked again and again.
    :param what: what is waited for.
    :param client: who must not end before.
    """
    pause = threading.Event()
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if client is not None and client.ended:
            pytest.fail(f"the client ended before this: {what}\n{client.wait().output}")
        assert time.monotonic() < deadline, f"not in time: {what}"
        pause.wait(0.05)


def commands_of(team: NrfCloudClient, device_id: str) -> dict[str, str]:
    """Return the status of each command of a device, by its type; what the service says to another client."""
    answer = team.raw.request("GET", f"/v1/claimed-devices/{device_id}/provisioning?pageLimit=100")
    if answer.status_code != 200:
        return {}
    return {next(iter(item["request"])): item["status"] for item in answer.json()["items"]}


def record_line(transcript: Transcript, board: ClientBoard) -> None:
    """Put what went over a board's line into a transcript."""
    transcript.add(
        f"line of {board.port} ({board.discipline})", line_text(board.controls.call("line_traffic"))
    )


def _messages(stream: bytes) -> list[HttpMessage]:
    """Part a stream into messages; those of our fake and of the clients have a Content-Length or no body."""
    messages = []
    while stream:
        head, _, rest = stream.partition(b"\r\n\r\n")
        start, *lines = head.decode().split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        length = int(headers.get("content-length", "0"))
        messages.append(HttpMessage(start, headers, rest[:length]))
        stream = rest[length:]
    return messages


def _shown(exchange: Exchange) -> str:
    parts = []
    for message in (exchange.request, exchange.answer):
        headers = "\n".join(f"{name}: {value}" for name, value in message.headers.items())
        body = message.body.decode("utf-8", "backslashreplace")
        parts.append(f"{message.start}\n{headers}\n\n{body}".rstrip())
    return "\n\n".join(parts)
