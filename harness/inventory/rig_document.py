"""The text of a rig file, edited so that everything else in it stays as somebody wrote it.

tomlkit keeps comments, order and blanks, but it puts new keys behind the comment that belongs to the next
table. So what we add is put into its list of lines where a person would put it, and the result is read by
:mod:`tomllib` and compared with what was meant, before anybody gets it.
"""

from __future__ import annotations

import copy
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array, Comment, InlineTable, Item, SingleKey, Table, Whitespace

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tomlkit.container import Container
    from tomlkit.items import Key

    Body = list[tuple[Key | None, Item]]

#: Values by where they are in the table of a board: ``("endpoints", "console", "interface")``.
Values = dict[tuple[str, ...], str | int]

_BOARDS = "board"
# Where a person looks for what a board is: new keys are put below the last of these.
_HEAD = ("id", "profile", "usb_serial", "identity", "location")
_BESIDE_EACH_OTHER = "all tables [[board]] beside each other, each with its own tables below it"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """A table to append.

    :ivar remark: a comment above it.
    :ivar values: what is in it.
    """

    remark: str
    values: Values


def edit(
    text: str, changes: Mapping[int, Values], additions: Sequence[NewEntry], *, file: Path | None = None
) -> str:
    """Change boards of a rig file and append others.

    :param text: what is in the file.
    :param changes: what to set, by the number of the board.
    :param additions: the boards to append.
    :param file: the file, for messages.
    :return: the new text; the same when nothing is to be done.
    :raises UsageError: the file is written in a way that we cannot change without changing more than that.
    """
    if not additions and not any(changes.values()):
        return text
    wanted = _wanted(text, changes, additions)
    line_end = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith("\n"):
        text += line_end
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:  # tomllib could read it
        raise _refusal(file, str(error)) from error
    if document.as_string() != text:  # boards that are not together would be put together
        raise _refusal(file, "the lines of boards would be moved")
    boards = document.get(_BOARDS)
    if isinstance(boards, AoT):
        for number, values in changes.items():
            _change_table(boards.body[number].value, values, line_end)
        result = _append_tables(document, boards, additions, line_end)
    elif isinstance(boards, Array):
        _change_array(boards, changes, additions)
        result = document.as_string()
    else:
        result = document.as_string() + _blocks(additions, line_end, alone=not text.strip())
    read = None
    with suppress(tomllib.TOMLDecodeError):
        read = tomllib.loads(result)
    if read != wanted:
        raise _refusal(file, "more than what was found would change")
    return result


def _refusal(file: Path | None, reason: str) -> UsageError:
    return UsageError(
        f"boards cannot be written into this file: {reason}",
        file=file,
        key=_BOARDS,
        expected=_BESIDE_EACH_OTHER,
    )


def _wanted(text: str, changes: Mapping[int, Values], additions: Sequence[NewEntry]) -> dict[str, Any]:
    """Say what the file is to hold afterwards, by other means than those that write it."""
    data = tomllib.loads(text)
    boards = [copy.deepcopy(board) for board in data.get(_BOARDS, [])]
    for number, values in changes.items():
        _merge(boards[number], values)
    boards.extend(_merge({}, entry.values) for entry in additions)
    return {**data, _BOARDS: boards}


def _merge(board: dict[str, Any], values: Values) -> dict[str, Any]:
    for (*tables, key), value in values.items():
        place = board
        for table in tables:
            place = place.setdefault(table, {})
        place[key] = value
    return board


def _change_table(entry: Container, values: Values, line_end: str) -> None:
    """Change the table of a board; new lines come last, for tomlkit does not learn of them."""
    head: Body = []
    below_head: Body = []
    for path, value in values.items():
        inner = entry.item(path[0]) if path[0] in entry else None
        if inner is not None and len(path) == 1:
            entry[path[0]] = value  # tomlkit keeps what is beside it
        elif isinstance(inner, InlineTable):
            _set_inline(inner, path[1:], value)
        elif isinstance(inner, Table) and not inner.is_super_table():
            inner.value.body.insert(0, _line(path[1:], value, line_end))
        else:  # it is new, or there are keys with dots, or [board.endpoints.aux] without [board.endpoints]
            (head if path == ("id",) else below_head).append(_line(path, value, line_end))
    place = _below_head(entry.body)
    entry.body[place:place] = below_head
    entry.body[0:0] = head


def _set_inline(table: InlineTable, path: tuple[str, ...], value: str | int) -> None:
    *tables, key = path
    for name in tables:
        if name not in table:
            table[name] = tomlkit.inline_table()
        table = table[name]
    table[key] = value


def _below_head(body: Body) -> int:
    head = [number for number, (key, _) in enumerate(body) if key is not None and key.key in _HEAD]
    return head[-1] + 1 if head else 0


def _line(path: Sequence[str], value: str | int, line_end: str) -> tuple[Key | None, Item]:
    """Return a line as tomlkit would have read it; a key with dots is written as one that has a name only."""
    item = tomlkit.item(value)
    item.trivia.trail = line_end
    dotted = ".".join(tomlkit.key(name).as_string() for name in path)
    return SingleKey(path[-1], t=None, sep=" = ", original=dotted), item


def _change_array(boards: Array, changes: Mapping[int, Values], additions: Sequence[NewEntry]) -> None:
    for number, values in changes.items():
        for path, value in values.items():
            _set_inline(boards[number], path, value)
    for entry in additions:
        table = tomlkit.inline_table()
        for path, value in entry.values.items():
            _set_inline(table, path, value)
        boards.append(table)


def _blocks(additions: Sequence[NewEntry], line_end: str, *, alone: bool = False) -> str:
    """Write tables, each with a blank line above it.

    :param alone: they are all there is in the file, so that it needs no blank line at its top.
    """
    lines = []
    for entry in additions:
        lines += ["", f"# {entry.remark}", f"[[{_BOARDS}]]"]
        for path, value in entry.values.items():
            key, item = _line(path, value, "")
            lines.append(f"{key.as_string() if key else ''} = {item.as_string()}")
    if alone:
        lines = lines[1:]
    return "".join(line + line_end for line in lines)


def _append_tables(
    document: tomlkit.TOMLDocument, boards: AoT, additions: Sequence[NewEntry], line_end: str
) -> str:
    """Append tables behind the last board, and in front of the comment of what follows the boards."""
    place = next(number for number, (_, item) in enumerate(document.body) if item is boards)
    blocks = _blocks(additions, line_end)
    if not additions or place == len(document.body) - 1:
        return document.as_string() + blocks
    trailing = _take_comment_of_next(_innermost(boards.body[-1].value))
    document.body[place + 1 : place + 1] = [(None, Whitespace(blocks + line_end)), *trailing]
    return document.as_string()


def _innermost(container: Container) -> Body:
    """Return the lines among which are those just above the next table."""
    last = container.body[-1][1] if container.body else None
    if isinstance(last, AoT):
        return _innermost(last.body[-1].value)
    return _innermost(last.value) if isinstance(last, Table) else container.body


def _take_comment_of_next(body: Body) -> Body:
    """Take away what is written just above the next table, down from the last blank line."""
    first = len(body)
    while first and isinstance(body[first - 1][1], Comment):
        first -= 1
    taken = body[first:]
    while first and isinstance(body[first - 1][1], Whitespace):
        first -= 1
    body[first:] = []
    return taken
