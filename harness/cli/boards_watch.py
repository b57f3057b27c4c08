"""``harness boards --watch``: the boards, who holds them, which test runs, and what was lost and when."""

from __future__ import annotations

import sys
import threading
from collections import Counter, deque
from contextlib import ExitStack, suppress
from datetime import datetime
from itertools import compress
from typing import TYPE_CHECKING, Self

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.cli.boards_chronicle import GONE, Chronicle, is_there
from harness.cli.boards_now import Seen, look, stock_of, unplugged
from harness.cli.boards_table import STYLES, console_of_output
from harness.cli.interrupts import end_on_signals
from harness.errors import RigFault, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from rich.console import RenderableType

    from harness.cli.boards_chronicle import Event, Watched
    from harness.config import Settings
    from harness.plugins import HarnessPluginManager

# Ports tell when they come and go; leases, and the boards of a virtual bench, do not.
_PERIOD_SECONDS = 0.5
_EVENTS_SHOWN = 8
_STYLES = {**STYLES, GONE: "dim"}
_COLUMNS = ("board", "kind", "identity", "where", "console", "state", "since", "holder", "test")


def watch_boards(plugins: HarnessPluginManager, settings: Settings) -> None:
    """Show the boards until Ctrl-C: as a table on a terminal, as lines of what changes elsewhere.

    :param plugins: the loaded plugins.
    :param settings: say which bench.
    :raises RigFault: the bench does not answer any more.
    """
    end_on_signals()
    with suppress(KeyboardInterrupt, BrokenPipeError), _Watch(plugins, settings) as watch:
        if sys.stdout.isatty():
            _show(watch)
        else:
            _print(watch)


class _Watch:
    """Looks again whenever something may have changed."""

    def __init__(self, plugins: HarnessPluginManager, settings: Settings) -> None:
        self.chronicle = Chronicle(unplugged)
        self.trouble: str | None = None
        self._plugins = plugins
        self._settings = settings
        self._seen: Seen | None = None
        self._changed = threading.Event()
        self._ports_tell = settings.bench is None or settings.bench.kind == "attached"
        self._close = ExitStack()

    def __enter__(self) -> Self:
        if self._ports_tell:
            from harness.inventory.port_watch import PortWatch

            try:
                self._close.enter_context(PortWatch(lambda _change: self._changed.set()))
            except OSError as error:
                raise RigFault(f"nobody tells which ports come and go: {error}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close.close()

    def look(self) -> list[Event]:
        """Take down how the boards are now; a profile that is being written may not fit for a while."""
        if self._seen is None or self._changed.is_set() or not self._ports_tell:
            self._changed.clear()  # first, so that what changes while we look is looked at again
            try:
                self._seen = look(self._plugins, self._settings)
                self.trouble = None
            except UsageError as error:
                if self._seen is None:
                    raise
                self.trouble = str(error)
        return self.chronicle.note(stock_of(self._seen).boards, datetime.now().astimezone())

    def wait(self) -> None:
        """Wait until something may have changed."""
        self._changed.wait(_PERIOD_SECONDS)


def _print(watch: _Watch) -> None:
    """Print how the boards are, and then what changes, each line at once."""
    watch.look()
    now = datetime.now().astimezone()
    for watched in watch.chronicle.boards.values():
        for text in watched.in_words():
            _say(f"{now:%H:%M:%S} {watched.now.board.id}: {text}")
    trouble = None
    while True:
        watch.wait()
        for event in watch.look():
            _say(str(event))
        if watch.trouble not in (None, trouble):
            _say(str(watch.trouble))
        trouble = watch.trouble


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _show(watch: _Watch) -> None:
    """Keep a table up to date, and below it what happened last."""
    happened: deque[Event] = deque(maxlen=_EVENTS_SHOWN)
    watch.look()
    screen = _screen(watch, happened)
    with Live(screen, console=console_of_output(), auto_refresh=False, redirect_stderr=False) as live:
        while True:
            watch.wait()
            happened.extend(watch.look())
            live.update(_screen(watch, happened), refresh=True)


def _screen(watch: _Watch, happened: Iterable[Event]) -> RenderableType:
    boards = list(watch.chronicle.boards.values())
    parts: list[RenderableType] = [Text(_heading(boards), style="bold"), Text()]
    if boards:
        parts.append(_table(boards))
    else:
        parts.append(Text("No board is here. Whatever is plugged in is shown.", style="dim"))
    if watch.trouble is not None:
        parts += [Text(), Text(watch.trouble, style="red")]
    lines = [Text(str(event), style="dim", no_wrap=True, overflow="ellipsis") for event in happened]
    if lines:
        parts += [Text(), *lines]
    return Group(*parts)


def _heading(boards: Sequence[Watched]) -> str:
    counts = Counter(watched.now.state for watched in boards)
    states = ", ".join(f"{counts[state]} {state}" for state in _STYLES if counts[state])
    number = f"{len(boards)} board{'' if len(boards) == 1 else 's'}"
    time = f"{datetime.now().astimezone():%H:%M:%S}"
    return f"{time}  {number}{f': {states}' if states else ''}  (Ctrl-C ends)"


def _table(boards: Sequence[Watched]) -> Table:
    """Return the table, without columns in which nothing would be."""
    rows = [_row(watched) for watched in boards]
    used = [any(row[number].plain for row in rows) for number in range(len(_COLUMNS))]
    table = Table(box=None, pad_edge=False)
    for title in compress(_COLUMNS, used):
        table.add_column(title, no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*compress(row, used))
    return table


def _row(watched: Watched) -> list[Text]:
    now, board, holder = watched.now, watched.now.board, watched.now.holder
    console = board.endpoints.get("console") if is_there(now) else None
    style = _STYLES[now.state]
    return [
        Text(board.id, style="" if now.state in {"free", "leased"} else style),
        Text(board.kind),
        Text(board.identity or ""),
        Text(now.location or ""),
        Text("" if console is None else console.url.removeprefix("/dev/")),
        Text(now.state, style=style),
        Text("" if watched.since is None else f"{watched.since:%H:%M:%S}"),
        Text("" if holder is None else f"{holder.user}, {holder.session}"),
        Text((holder.test if holder is not None else None) or ""),
    ]
