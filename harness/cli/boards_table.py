"""The table of boards, for people."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.cli.boards_now import BoardNow, Stock
    from harness.inventory.attached import Survey
    from harness.inventory.lease_records import Holder

STYLES = {
    "free": "green",
    "leased": "yellow",
    "quarantined": "magenta",
    "absent": "dim",
    "lost": "red",
    "unknown": "red",
}
_COLUMNS = ("board", "kind", "identity", "where", "ports", "holder", "state")
# A pipe has no width: nothing is wrapped there, so that grep finds whole lines.
_PIPE_WIDTH = 10_000


def print_stock(stock: Stock, bench: str) -> None:
    """Print the boards, and below them the ports of nobody.

    :param stock: what there is.
    :param bench: which bench was asked for.
    """
    console = console_of_output()
    if not stock.boards:
        for line in _nothing_found(bench, stock.survey):
            console.print(Text(line))
    elif console.is_terminal:
        console.print(table_of(stock.boards))
    else:
        with console.capture() as captured:
            console.print(table_of(stock.boards))
        for line in captured.get().splitlines():
            console.print(Text(line.rstrip()))
    for line in stranger_lines(stock.survey):
        console.print(Text(line))


def console_of_output() -> Console:
    """Return the standard output: as wide as its terminal, or as wide as a line may be."""
    return Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)


def table_of(boards: Iterable[BoardNow]) -> Table:
    """Return the table.

    :param boards: its rows.
    """
    table = Table(box=None, pad_edge=False)
    for title in _COLUMNS:
        table.add_column(title, overflow="fold")
    for now in boards:
        board = now.board
        state = Text(now.state, style=STYLES[now.state])
        table.add_row(
            Text(board.id),
            Text(board.kind),
            Text(board.identity or ""),
            Text(now.location or ""),
            Text("\n".join(board.ways) or "none"),
            Text(holder_in_words(now.holder)),
            state if now.remark is None else Text.assemble(state, f": {now.remark}"),
        )
    return table


def holder_in_words(holder: Holder | None) -> str:
    """Say who holds a board, for which test and since when, in lines.

    :param holder: the holder; ``None``: nobody.
    """
    if holder is None:
        return ""
    since = holder.since
    with suppress(ValueError):  # what another program wrote may be anything
        since = f"{datetime.fromisoformat(since).astimezone():%Y-%m-%d %H:%M:%S}"
    lines = [f"{holder.user}, session {holder.session}", holder.test, f"since {since}"]
    return "\n".join(filter(None, lines))


def stranger_lines(survey: Survey | None) -> Iterator[str]:
    """Give the lines about ports of nobody.

    :param survey: what is attached.
    """
    if survey is not None and survey.strangers:
        yield "\nSerial ports that belong to no board:"
        for stranger in survey.strangers:
            yield f"  {stranger}"


def _nothing_found(bench: str, survey: Survey | None) -> Iterator[str]:
    if survey is None:
        yield f"No board is on {bench}."
        return
    yield "No board found. Looked for:"
    for kind in survey.looked_for:
        yield f"  {kind}"
    if not survey.strangers:
        yield "Saw no serial port."
    yield "Plug a board in, describe it in rig.toml, or make virtual ones: harness bench up --boards 4"
