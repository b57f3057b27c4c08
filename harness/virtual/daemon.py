"""The bench daemon: ``python -m harness.virtual.daemon --directory DIR --lifeline FD|PATH``.

One process with one epoll loop hosts every virtual board of a bench. It ends with whoever holds the other
end of its lifeline, on SIGTERM, on SIGINT and when a client asks for it; links, socket and the directories
that it made are gone afterwards (the log too, unless its directory was there before). Whoever starts it
reads from ``--ready`` one line of JSON: ``{"socket": ..., "pid": ...}`` or ``{"error": ..., "usage": ...}``.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import select
import signal
import sys
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError, UsageError
from harness.plugins import load_plugins
from harness.redaction import Redactor
from harness.redaction.output import redact_handler
from harness.virtual import wire
from harness.virtual.access import PRIVATE, SHARED
from harness.virtual.bench import Bench, join_kinds
from harness.virtual.bench_directory import BenchDirectory, sweep
from harness.virtual.contract import UsbPresentation, VirtualKind
from harness.virtual.control_methods import ControlMethods
from harness.virtual.control_server import ControlServer
from harness.virtual.loop import Loop
from harness.virtual.usb.lab import UsbLab

if TYPE_CHECKING:
    from collections.abc import Sequence

# How long the loop may take to notice the end before the process is ended without it.
END_SECONDS = 1.0

_FAILED = 1
_WRONG_USE = 4

_log = logging.getLogger(__name__)


def open_lifeline(text: str) -> int:
    """Return the descriptor whose end of file ends the bench.

    :param text: number of an inherited descriptor, or path of a FIFO.
    :raises UsageError: there is no such thing, or nobody holds its other end.
    """
    if text.isdecimal():
        fd = int(text)
        try:
            os.fstat(fd)
        except OSError as error:
            raise UsageError("no open descriptor", key="--lifeline", value=text) from error
        return fd
    try:
        fd = os.open(text, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(
            f"cannot be opened: {error.strerror}", key="--lifeline", value=text, expected="a FIFO"
        ) from error
    try:
        ended = os.read(fd, 1) == b""
    except BlockingIOError:
        return fd
    if ended:
        # poll() says nothing of a FIFO that never had a writer: the bench would outlive everybody.
        raise UsageError("nobody holds the other end", key="--lifeline", value=text)
    return fd


class EndWatch:
    """Notices the end of the bench on a thread of its own, and enforces it when the loop does not obey.

    A board that blocks the loop, against its contract, must not outlive the session that started it.
    """

    def __init__(self, loop: Loop, lifeline: int, directory: Path) -> None:
        """Start watching.

        :param loop: stopped when the end has come.
        :param lifeline: its end of file is the end.
        :param directory: swept when the loop does not stop.
        """
        self._loop = loop
        self._lifeline = lifeline
        self._directory = directory
        self._told = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="end-watch", daemon=True)
        self._thread.start()

    def end(self, *_signal: object) -> None:
        """The end has come; may be called from a signal handler."""
        os.eventfd_write(self._told, 1)

    def _watch(self) -> None:
        poller = select.poll()
        poller.register(self._told, select.POLLIN)
        poller.register(self._lifeline, select.POLLIN)
        while not self._has_come(poller):
            pass
        self._loop.stop()
        if not self._ended.wait(END_SECONDS):
            _log.error("the loop does not end: a board blocks it")
            sweep(self._directory)
            os._exit(_FAILED)

    def _has_come(self, poller: select.poll) -> bool:
        for fd, events in poller.poll():
            if fd == self._told:
                return True
            try:
                # Bytes on the lifeline mean nothing; only its end does.
                if events & ~select.POLLIN or os.read(fd, 4096) == b"":
                    return True
            except BlockingIOError:
                continue
            except OSError:
                return True
        return False

    def close(self) -> None:
        """The loop has ended by itself."""
        self._ended.set()
        self.end()
        self._thread.join()
        # A signal may still come: what tells of it stays open until the process is gone.


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m harness.virtual.daemon", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="where links, socket and log go")
    parser.add_argument("--shared", action="store_true", help="let every user of the host use and control it")
    parser.add_argument("--usb", action="store_true", help="show the boards as USB devices, by umockdev")
    parser.add_argument("--lifeline", required=True, help="descriptor or FIFO whose end of file ends it")
    parser.add_argument("--kinds", default="[]", help="further kinds of board, as a JSON list of objects")
    parser.add_argument("--ready", type=int, help="descriptor that is told when clients may come")
    return parser.parse_args(arguments)


def parse_kinds(text: str) -> list[VirtualKind]:
    """Return the kinds that ``--kinds`` gives.

    :raises UsageError: not a list of kinds.
    """
    try:
        return [_parse_kind(kind) for kind in json.loads(text)]
    except (TypeError, KeyError, ValueError) as error:
        raise UsageError(
            f"not a list of kinds: {error}",
            key="--kinds",
            value=text,
            expected='[{"kind": ..., "factory": "module:function", "roles": [...]}, ...]',
        ) from error


def _parse_kind(kind: dict[str, Any]) -> VirtualKind:
    usb = kind["usb"] if "usb" in kind else None  # noqa: SIM401 - what is no object raises TypeError
    presentation = None if usb is None else UsbPresentation(**usb)
    return VirtualKind(**{**kind, "roles": tuple(kind["roles"]), "usb": presentation})


def serve(options: argparse.Namespace, ready: Ready) -> None:
    """Host a bench until it has to end.

    :param options: the parsed command line.
    :param ready: whom to tell that clients may come.
    :raises UsageError: an option does not fit.
    """
    with ExitStack() as stack:
        lifeline = open_lifeline(options.lifeline)
        plugins = load_plugins()
        redactor = Redactor.of_plugins(plugins)
        kinds = join_kinds([*plugins.hook.harness_virtual_boards(), parse_kinds(options.kinds)])
        access = SHARED if options.shared else PRIVATE
        if options.usb and options.shared:
            raise UsageError(
                "a USB lab cannot be shared: other users' monitors could not be told of plugs and unplugs",
                key="--usb",
                expected="--usb or --shared",
            )
        directory = BenchDirectory(options.directory.absolute(), access)
        stack.callback(directory.close)
        for handler in logging.getLogger().handlers:
            redact_handler(handler, redactor)
        # Never closed: a board's blocking work may use it until the process is gone.
        loop = Loop()
        watch = EndWatch(loop, lifeline, directory.path)
        stack.callback(watch.close)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, watch.end)
        lab = None
        if options.usb:
            lab = UsbLab(loop, directory.make_lab_root())
            stack.callback(lab.close)
        bench = Bench(loop, directory.ports, kinds, access, lab)
        stack.callback(bench.close)
        socket_path = directory.path / wire.SOCKET_NAME
        server = ControlServer(loop, socket_path, ControlMethods(bench, watch.end), access)
        stack.callback(server.close)
        ready.tell({"socket": str(socket_path), "pid": os.getpid(), "usb": bench.usb_environment})
        loop.run()


class Ready:
    """Whoever started the bench and waits for one line."""

    def __init__(self, fd: int | None) -> None:
        """Remember whom to tell.

        :param fd: write end of a pipe; ``None``: nobody waits.
        """
        self._fd = fd

    def tell(self, message: dict[str, Any]) -> None:
        """Tell once; a starter that has gone is no concern of ours, its lifeline is."""
        if self._fd is None:
            if "error" in message:
                sys.stderr.write(f"harness: {message['error']}\n")
            return
        with suppress(BrokenPipeError):
            os.write(self._fd, json.dumps(message).encode() + b"\n")
        os.close(self._fd)
        self._fd = None


def main(arguments: Sequence[str]) -> int:
    """Run the daemon.

    :param arguments: the command line without the program's name.
    :return: exit code: 0 ended as asked, 1 failed, 4 used wrongly.
    """
    os.umask(0o077)
    # Each endpoint holds two descriptors: 256 boards need more than the usual 1024.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    options = _parse(arguments)
    ready = Ready(options.ready)
    try:
        serve(options, ready)
    except HarnessError as error:
        wrong_use = isinstance(error, UsageError)
        ready.tell({"error": str(error), "usage": wrong_use})
        return _WRONG_USE if wrong_use else _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
