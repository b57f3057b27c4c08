"""A fake in a process of its own: ``python -m harness.backends.serving``.

The service listens on 127.0.0.1 at a port that the system chooses, over TLS at a second one and over UDP at a
third when the fake can, each of its parts and streams at a further one, and the control application on a UNIX
socket that only the user may open. When all listen, one line of JSON says where (``url``, ``secure_url``,
``addresses``, ``control``), and what else is to be known (``pid``, ``notes``, ``remarks``). The process ends
at once when the other end of its lifeline is closed, and on SIGTERM and SIGINT; it removes its socket.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import select
import signal
import socket
import stat
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from harness.backends.streams import StreamListener
from harness.errors import UsageError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping, Sequence

    import uvicorn

    from harness.backends.contract import DatagramDoor, PartDoor, StreamDoor

USAGE_EXIT = 4
LONGEST_SOCKET_PATH = 100
LONGEST_GOODBYE = 0.5
"""Seconds that the event loop may take to end after the lifeline broke; then the process just ends."""

_IDLE_CONNECTION = 300  # seconds; a client that pauses must not find its connection closed under a request


class Lifeline:
    """Watches a pipe from the first moment on, from a thread of its own: imports take longer than death may.

    :param pipe: number of an inherited file descriptor, or path of a FIFO.
    """

    def __init__(self, pipe: str) -> None:
        """Watch; the thread ends with the process."""
        try:
            self._descriptor = int(pipe) if pipe.isdecimal() else os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
            os.fstat(self._descriptor)
        except (OSError, OverflowError) as error:
            raise UsageError(
                f"cannot be watched: {error}",
                key="--lifeline",
                value=pipe,
                expected="the number of an inherited descriptor, or the path of a FIFO",
            ) from error
        self._stop: Callable[[], object] | None = None
        self._socket: Path | None = None
        threading.Thread(target=self._watch, name="lifeline", daemon=True).start()

    def hand_to(self, stop: Callable[[], object], socket_path: Path) -> None:
        """From now on ask the event loop to end, and remove the socket if it does not.

        :param stop: asks it; called from another thread.
        """
        self._socket = socket_path
        self._stop = stop

    def _watch(self) -> None:
        # Nothing is read: others may watch the same pipe. An end of file is reported without being asked for.
        poll = select.poll()
        poll.register(self._descriptor, select.POLLRDHUP)
        poll.poll()
        if self._stop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has just closed: the process is ending anyway
                self._stop()
            threading.Event().wait(LONGEST_GOODBYE)  # the interpreter ends first, and this thread with it
        if self._socket is not None:
            self._socket.unlink(missing_ok=True)
        os._exit(0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to end.

    :return: 0, or 4 when the call was wrong.
    """
    options = _parser().parse_args(arguments)
    control_path = Path(options.socket)
    try:
        lifeline = Lifeline(options.lifeline) if options.lifeline else None
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            runner.run(_serve(options, control_path, lifeline))
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - this process has no other way to say it
        return USAGE_EXIT
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m harness.backends.serving", description=__doc__)
    parser.add_argument("--factory", required=True, metavar="MODULE:FUNCTION")
    parser.add_argument("--socket", required=True, metavar="CONTROL", help="path of the control socket")
    parser.add_argument("--lifeline", metavar="FD|FIFO", help="end when its other end is closed")
    parser.add_argument("--port", type=int, default=0, help="0: the system chooses")
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument(
        "--options-from", type=int, metavar="FD", help="descriptor of a JSON object of options"
    )
    return parser


def parse_options(texts: Sequence[str]) -> dict[str, str]:
    """Parse every ``--option KEY=VALUE``, or ``KEY=@FILE`` for a value that no process list may show.

    :raises UsageError: malformed, named twice, or a file that cannot be read.
    """
    options: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise UsageError("malformed", key="--option", value=text, expected="KEY=VALUE")
        if key in options:
            raise UsageError("named twice", key="--option", value=key, expected="each KEY once")
        options[key] = _read_value(value.removeprefix("@")) if value.startswith("@") else value
    return options


def _read_value(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot be read: {error}", file=file, key="--option") from error


def _all_options(options: argparse.Namespace) -> dict[str, str]:
    """Return the options of the fake's own, those that were handed over in a file too."""
    handed: dict[str, str] = {}
    if options.options_from is not None:
        with os.fdopen(options.options_from, encoding="utf-8") as file:
            handed = json.load(file)
    return {**parse_options(options.option), **handed}


def _new_loop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


async def _serve(options: argparse.Namespace, control_path: Path, lifeline: Lifeline | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    fake = _make_fake(options.factory, _all_options(options))
    async with contextlib.AsyncExitStack() as resources:
        resources.callback(getattr(fake, "close", lambda: None))
        service = resources.enter_context(_listen_on_port(options.port))
        control = resources.enter_context(_listen_on_path(control_path))
        resources.callback(control_path.unlink, missing_ok=True)
        if lifeline is not None:
            lifeline.hand_to(lambda: loop.call_soon_threadsafe(stop.set), control_path)
        servers = [await _start(fake.service, service), await _start(fake.control, control)]
        tls = getattr(fake, "tls", None)
        if tls is not None:
            secure = resources.enter_context(_listen_on_port(0))
            servers.append(await _start(fake.service, secure, tls.context))
            tls.url = _url("https", secure)
        addresses = {}
        parts: Mapping[str, PartDoor] = getattr(fake, "parts", {})
        for name, part in parts.items():
            own = resources.enter_context(_listen_on_port(0))
            addresses[name] = part.url = _url("http", own)
            servers.append(await _start(part.application, own))
        streams: Mapping[str, StreamDoor] = getattr(fake, "streams", {})
        for name, door in streams.items():
            own = resources.enter_context(_listen_on_port(0))
            addresses[name] = door.url = _url(door.scheme, own)
            await resources.enter_async_context(StreamListener(door, name, own))
        datagrams = getattr(fake, "datagrams", None)
        if datagrams is not None:
            addresses[datagrams.part] = datagrams.url = _url(
                datagrams.scheme, await _start_datagrams(datagrams, resources)
            )
        _say_ready(
            {
                "url": _url("http", service),
                "secure_url": None if tls is None else tls.url,
                "addresses": addresses,
                "remarks": [] if datagrams is None else [datagrams.remark],
                "control": str(control_path),
                "pid": os.getpid(),
                "notes": dict(getattr(fake, "notes", {})),
            }
        )
        await stop.wait()
        for server in servers:
            for listener in server.servers:
                listener.close()


def _make_fake(factory: str, options: dict[str, str]) -> Any:
    from harness.backends.contract import FakeSettings
    from harness.plugins import load_object, load_plugins
    from harness.redaction import Redactor
    from harness.redaction.output import RedactedOutput

    plugins = load_plugins()  # one named by HARNESS_PLUGINS may change a fake: that is how the breaks work
    sys.stderr = cast("TextIO", RedactedOutput(sys.stderr, Redactor.of_plugins(plugins)))
    return load_object(factory)(FakeSettings(options=options))


def _listen_on_port(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(512)
    except (OSError, OverflowError) as error:
        listener.close()
        raise UsageError(
            f"cannot listen there: {error}", key="--port", value=port, expected="a free port, or 0"
        ) from error
    return listener


def _listen_on_path(path: Path) -> socket.socket:
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise UsageError(
            "the path is too long for a socket",
            key="--socket",
            value=str(path),
            expected=f"at most {LONGEST_SOCKET_PATH} bytes",
        )
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)  # the socket must never exist with wider permissions, not for a moment
    try:
        listener.bind(str(path))
        listener.listen(64)
    except OSError as error:
        listener.close()
        raise UsageError(f"cannot listen there: {error}", key="--socket", value=str(path)) from error
    finally:
        os.umask(before)
    return listener


def _remove_stale(path: Path) -> None:
    """Remove a socket that nobody listens on any more: its owner was killed."""
    if not path.exists() or not stat.S_ISSOCK(path.stat().st_mode):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        if probe.connect_ex(str(path)) == 0:
            raise UsageError("somebody listens there already", key="--socket", value=str(path))
    path.unlink()


async def _start(
    application: Any, listener: socket.socket, tls: ssl.SSLContext | None = None
) -> uvicorn.Server:
    """Start a server without its main loop: that one looks at a flag ten times a second, we have an event.

    :param tls: speak TLS by this.
    """
    import uvicorn

    from harness.backends.http_protocol import FakeHttpProtocol

    config = uvicorn.Config(
        application,
        loop="none",
        http=FakeHttpProtocol,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=_IDLE_CONNECTION,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    return server


async def _start_datagrams(door: DatagramDoor, resources: contextlib.AsyncExitStack) -> socket.socket:
    """Serve datagrams at a port that the system chooses, until the resources are released."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        listener.bind(("127.0.0.1", 0))
        listener.setblocking(False)
        transport, _protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            door.protocol, sock=listener
        )
    except BaseException:
        listener.close()
        raise
    resources.callback(transport.close)
    return listener


def _url(scheme: str, listener: socket.socket) -> str:
    host, port = listener.getsockname()
    return f"{scheme}://{host}:{port}"


def _say_ready(ready: dict[str, Any]) -> None:
    print(json.dumps(ready), flush=True)  # noqa: T201 - the handshake with whoever started us


if __name__ == "__main__":
    sys.exit(main())
