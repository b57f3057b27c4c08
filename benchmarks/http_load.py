"""Load on an HTTP server: as much as it answers, by ``wrk`` or, where there is none, by our own client.

Either is a process of its own. Each connection has one request outstanding, and every request carries the
next of many bearer tokens.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import shutil
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import httptools
import uvloop

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

CONNECTIONS = 16
FIRST_ERROR = 400
GRACE_SECONDS = 30

WRK_SCRIPT = """
local requests, number = {}, 0
init = function()
  for token in io.lines("%(tokens)s") do
    local headers = {["Authorization"] = "Bearer " .. token}
    requests[#requests + 1] = wrk.format("GET", "%(target)s", headers)
  end
end
request = function()
  number = number %% #requests + 1
  return requests[number]
end
done = function(summary)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('\\n{"answers": %%d, "seconds": %%f, "refused": %%d, "broken": %%d}\\n',
    summary.requests, summary.duration / 1000000, errors.status, broken))
end
"""


def find_client() -> str:
    """Return what makes the load: the path of ``wrk``, or an empty text for our own client."""
    return shutil.which("wrk") or ""


def requests_per_second(url: str, target: str, tokens: Sequence[str], seconds: float) -> float:
    """Ask for as long as told, and return answers a second.

    :param url: the server, without a path.
    :param target: path and query.
    :param tokens: sent as ``Authorization: Bearer``, in turn.
    """
    wrk = find_client()
    outcome = _by_wrk(wrk, url, target, tokens, seconds) if wrk else _by_us(url, target, tokens, seconds)
    assert not outcome["refused"], f"{outcome['refused']} requests were refused"
    assert not outcome["broken"], f"{outcome['broken']} exchanges broke"
    assert outcome["answers"], "nothing was answered"
    return outcome["answers"] / outcome["seconds"]


def _by_wrk(wrk: str, url: str, target: str, tokens: Sequence[str], seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        script, list_of_tokens = Path(name) / "load.lua", Path(name) / "tokens"
        list_of_tokens.write_text("\n".join(tokens))
        script.write_text(WRK_SCRIPT % {"tokens": list_of_tokens, "target": target})
        length = max(1, round(seconds))  # it takes whole seconds only
        command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{length}s", "-s", str(script), url]
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=length + GRACE_SECONDS
        )
    outcome: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return outcome


def _by_us(url: str, target: str, tokens: Sequence[str], seconds: float) -> dict[str, float]:
    here, there = multiprocessing.Pipe(duplex=False)
    client = multiprocessing.get_context("spawn").Process(
        target=_be_client, args=(url, target, tokens, seconds, there)
    )
    client.start()
    there.close()
    try:
        outcome: dict[str, float] = here.recv()
    finally:
        client.join()
        here.close()
    return outcome


def _be_client(url: str, target: str, tokens: Sequence[str], seconds: float, out: Connection) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        out.send(runner.run(_ask(url, target, tokens, seconds)))


async def _ask(url: str, target: str, tokens: Sequence[str], seconds: float) -> dict[str, float]:
    where = urlsplit(url)
    requests = [
        f"GET {target} HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        for token in tokens
    ]
    loop = asyncio.get_running_loop()
    connections = [_Connection(requests, number) for number in range(CONNECTIONS)]
    started = time.perf_counter()
    for connection in connections:
        await loop.create_connection(partial(_itself, connection), where.hostname or "", where.port or 80)
    await asyncio.sleep(seconds)
    outcome = {
        "answers": sum(connection.answers for connection in connections),
        "seconds": time.perf_counter() - started,
        "refused": sum(connection.refused for connection in connections),
        "broken": sum(connection.lost for connection in connections),
    }
    for connection in connections:
        connection.close()
    return outcome


def _itself(connection: _Connection) -> _Connection:
    return connection


class _Connection(asyncio.Protocol):
    """One connection with one request outstanding; also what httptools tells of the answers."""

    def __init__(self, requests: Sequence[bytes], first: int) -> None:
        """Ask from one of the requests on."""
        self.answers = self.refused = self.lost = 0
        self._requests = requests
        self._next = first
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask the first time."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none, and yet can do the same
        self._send()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Count an answer, and ask again."""
        self.answers += 1
        self.refused += self._parser.get_status_code() >= FIRST_ERROR
        self._send()

    def connection_lost(self, _error: Exception | None) -> None:
        """Note that the server hung up, unless we did."""
        self.lost += self._transport is not None

    def close(self) -> None:
        """Hang up."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def _send(self) -> None:
        if self._transport is not None:
            self._transport.write(self._requests[self._next % len(self._requests)])
            self._next += 1
