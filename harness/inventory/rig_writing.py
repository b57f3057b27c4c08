"""From the boards that are here to the rig file that says so.

What somebody wrote by hand stays: only what was found out is added or brought up to date. A board of the file
is recognised by who it says it is, then by its name and its USB serial number; where it is counts only when
it contradicts nothing. Boards of the file that are not here stay in it.
"""

from __future__ import annotations

import difflib
import os
import secrets
import stat
import tempfile
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import RigFault, UsageError
from harness.inventory.rig_document import NewEntry, Values, edit
from harness.toml_files import dotted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from harness.rig import Rig

    Entry = Mapping[str, Any]

HEADER = "# What is attached to this host. 'harness boards --write' adds to it; what you write stays.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundBoard:
    """A board that is here.

    :ivar id: what it is called now.
    :ivar title: the product's name, for people.
    :ivar profile: its kind.
    :ivar usb_serial: its serial number on USB.
    :ivar location: where it is on USB.
    :ivar identity: who it said it is; ``None`` when it was not asked or did not answer.
    :ivar ambiguous: its serial number does not tell who it is, for another board here has it too.
    :ivar interfaces: interface by role, where an endpoint is elsewhere than the profile says.
    """

    id: str
    title: str
    profile: str
    usb_serial: str | None = None
    location: str | None = None
    identity: str | None = None
    ambiguous: bool = False
    interfaces: Mapping[str, int] = field(default_factory=dict)


class Standing(StrEnum):
    """How a board of the file stands after a merge."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    ABSENT = "not here, kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A board of a merged file.

    :ivar name: what the file calls it.
    :ivar standing: what became of it.
    :ivar keys: what was set.
    """

    name: str
    standing: Standing
    keys: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say it for a person."""
        keys = f": {', '.join(self.keys)}" if self.standing is Standing.CHANGED else ""
        return f"{self.name}: {self.standing}{keys}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """A rig file into which boards were put.

    :ivar before: the text that was there; empty without a file.
    :ivar text: the text that is to be there.
    :ivar lines: its boards, in its order.
    :ivar doubts: what a person has to decide, though the file loads.
    """

    before: str
    text: str
    lines: tuple[Line, ...]
    doubts: tuple[str, ...] = ()

    def diff(self, name: str) -> str:
        """Return what changes, as ``diff -u`` shows it; nothing when nothing does.

        :param name: what the file is called.
        """
        before, after = (text.splitlines(keepends=True) for text in (self.before, self.text))
        changes = difflib.unified_diff(before, after, name, name)
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in changes)


def merge(text: str, found: Sequence[FoundBoard], *, file: Path | None = None) -> Merge:
    """Put boards into the text of a rig file.

    :param text: what is in the file, which loads; empty: there is none yet.
    :param found: the boards that are here.
    :param file: the file, for messages.
    :raises UsageError: several boards may be one of the file, or the file is written in a way that we cannot
        change without changing more than that.
    """
    entries: list[Entry] = tomllib.loads(text).get("board", [])
    matches = match(entries, found, file=file)
    new = [board for board in found if board not in matches.values()]
    serials = Counter(entry.get("usb_serial") for entry in entries)
    serials.update(board.usb_serial for board in new)
    serials.update(board.usb_serial for board in found if board.ambiguous)  # its twin may not be among them
    changes = {
        number: _own_name(entry, serials) | (_news(entry, matches[number]) if number in matches else {})
        for number, entry in enumerate(entries)
    }
    additions = _additions(new, serials, {_name(entry) for entry in entries})
    lines = [
        Line(
            name=_name(entry),
            standing=_standing(here=number in matches, changed=bool(changes[number])),
            keys=tuple(".".join(path) for path in changes[number]),
        )
        for number, entry in enumerate(entries)
    ]
    lines += [Line(name=_name(_plain(entry.values)), standing=Standing.NEW) for entry in additions]
    result = edit(text or HEADER * bool(additions), changes, additions, file=file)
    gone = [entry for number, entry in enumerate(entries) if number not in matches]
    return Merge(before=text, text=result, lines=tuple(lines), doubts=tuple(_doubts(gone, new)))


def _doubts(gone: Iterable[Entry], new: Iterable[FoundBoard]) -> Iterator[str]:
    """Say which new boards may be old ones that say of themselves what they did not say before."""
    for board in new:
        for entry in gone:
            said = entry.get("identity")
            if board.usb_serial is not None and entry.get("usb_serial") == board.usb_serial and said:
                shared = f"{board.identity} has the USB serial number {board.usb_serial} of {_name(entry)}"
                advice = "both are kept; if it is the same board with another modem, keep one"
                yield f"{shared}, which is {said} in the file: {advice}"


def _standing(*, here: bool, changed: bool) -> Standing:
    if not here:
        return Standing.ABSENT
    return Standing.CHANGED if changed else Standing.UNCHANGED


def _own_name(entry: Entry, serials: Mapping[str | None, int]) -> Values:
    """Give a board that shares its serial number a name of its own: the one that it had."""
    shares = "usb_serial" in entry and serials[entry["usb_serial"]] > 1
    return {("id",): entry["usb_serial"]} if shares and "id" not in entry else {}


def match(
    entries: Sequence[Entry], found: Sequence[FoundBoard], *, file: Path | None = None
) -> dict[int, FoundBoard]:
    """Say which board of a file each board is that was found.

    :param entries: the boards of the file.
    :param found: the boards that are here, each another.
    :param file: the file, for messages.
    :return: the board that was found, by the number of its entry.
    :raises UsageError: an entry does not say which of several boards it is.
    """
    matches: dict[int, FoundBoard] = {}
    left = list(found)
    for fits in (_same_identity, _same_name, _same_device, _same_serial, _same_place):
        for number, entry in enumerate(entries):
            fitting = [board for board in left if number not in matches and fits(entry, board)]
            if len(fitting) == 1 and _alone(entries, matches, fitting[0], fits):
                matches[number] = fitting[0]
                left.remove(fitting[0])
            elif len(fitting) > 1 and fits is _same_serial:
                raise UsageError(
                    "several boards here have this serial number",
                    file=file,
                    key=f"{dotted(('board', number))}.identity",
                    expected=" or ".join(board.identity or board.id for board in fitting),
                )
    return matches


def _alone(
    entries: Sequence[Entry],
    matches: Mapping[int, FoundBoard],
    board: FoundBoard,
    fits: Callable[[Entry, FoundBoard], bool],
) -> bool:
    """Whether one entry only may be a board."""
    return sum(fits(entry, board) for number, entry in enumerate(entries) if number not in matches) == 1


def _same_identity(entry: Entry, board: FoundBoard) -> bool:
    return board.identity is not None and entry.get("identity") == board.identity


def _same_name(entry: Entry, board: FoundBoard) -> bool:
    """Whether whoever found the board took it for this entry: it may be described by the path of a port."""
    return _name(entry) == board.id and not _contradicts(entry, board)


def _same_device(entry: Entry, board: FoundBoard) -> bool:
    return _same_serial(entry, board) and entry.get("location") == board.location is not None


def _same_serial(entry: Entry, board: FoundBoard) -> bool:
    return entry.get("usb_serial") == board.usb_serial is not None and not _contradicts(entry, board)


def _same_place(entry: Entry, board: FoundBoard) -> bool:
    """Whether two things that cannot be told apart by any number are of one kind and in one place."""
    return (
        entry.get("usb_serial") is None is board.usb_serial
        and entry.get("location") == board.location is not None
        and entry.get("profile") == board.profile
        and not _contradicts(entry, board)
    )


def _contradicts(entry: Entry, board: FoundBoard) -> bool:
    pairs = (
        (entry.get("identity"), board.identity),
        (entry.get("usb_serial"), board.usb_serial),
    )
    return any(said is not None and seen is not None and said != seen for said, seen in pairs)


def _name(entry: Entry) -> str:
    return str(entry.get("id") or entry.get("usb_serial") or entry.get("identity") or "")


def _plain(values: Values) -> dict[str, Any]:
    return {path[0]: value for path, value in values.items()}


def _news(entry: Entry, board: FoundBoard) -> Values:
    """Return what of a board its entry does not say, or says otherwise."""
    by_path = "usb_serial" not in entry and _paths(entry)
    news: Values = {}
    for path, value in _facts(board).items():
        said = entry.get(path[0])
        if len(path) > 1:  # what somebody wrote of an endpoint counts
            if path[1] not in entry.get(path[0], {}):
                news[path] = value
        elif path == ("profile",):
            if said is None:
                news[path] = value
        elif said != value and (path == ("identity",) or not by_path):
            news[path] = value
    return news


def _paths(entry: Entry) -> bool:
    """Whether it is said by paths where a board is: then its place is what somebody chose."""
    endpoints = entry.get("endpoints", {}).values()
    return any(isinstance(endpoint, str) or "url" in endpoint for endpoint in endpoints)


def _facts(board: FoundBoard) -> Values:
    facts: Values = {("profile",): board.profile}
    for key in ("usb_serial", "identity", "location"):
        value = getattr(board, key)
        if value is not None:
            facts[(key,)] = value
    for role, interface in sorted(board.interfaces.items()):
        facts["endpoints", role, "interface"] = interface
    return facts


def _additions(
    boards: Sequence[FoundBoard], serials: Mapping[str | None, int], names: set[str]
) -> list[NewEntry]:
    """Describe boards that the file does not have.

    :param serials: how often the file will have each serial number.
    :param names: how the boards of the file are called.
    """
    additions = []
    for board in boards:
        values = _facts(board)
        name = _name(_plain(values))
        if name in names or not name or (board.usb_serial is not None and serials[board.usb_serial] > 1):
            name = _new_name(board, names)
            values = {("id",): name, **values}
        names.add(name)
        additions.append(NewEntry(remark=board.title, values=values))
    return additions


def _new_name(board: FoundBoard, taken: set[str]) -> str:
    """Call a board by who it is: its serial number does not tell."""
    name = "-".join((board.identity or board.id).split())
    names = [name, *(f"{name}-{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def read_rig_text(file: Path) -> str:
    """Read a rig file as it is, with its own line ends; empty when there is none.

    :param file: the file.
    :raises UsageError: it cannot be read.
    """
    try:
        return file.read_bytes().decode()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise UsageError(f"cannot read: {error.strerror}", file=file) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"is not TOML: {error}", file=file) from error


def check_text(text: str, file: Path, check: Callable[[Rig], None]) -> None:
    """See that a text would do as a rig file.

    :param text: the text.
    :param file: the file that it is for.
    :param check: looks at what it says, and raises what is wrong with it.
    :raises UsageError: it would not load, or the check refuses it.
    """
    from harness.rig import load_rig

    with tempfile.TemporaryDirectory(prefix="harness-rig-") as directory:
        trial = Path(directory) / file.name
        trial.write_bytes(text.encode())
        try:
            check(load_rig(trial))
        except UsageError as error:
            reason = str(error).replace(str(trial), "the new text")
            raise UsageError(f"nothing was written: {reason}", file=file) from error


def write_rig(file: Path, merged: Merge) -> None:
    """Put a merged text in the place of a rig file: whole, or not at all.

    :param file: the file; of a link the file that it leads to.
    :param merged: the text, and what it was made from.
    :raises UsageError: the file cannot be written.
    :raises RigFault: somebody changed the file meanwhile.
    """
    target = Path(os.path.realpath(file))
    temporary = target.parent / f".{target.stem}-{secrets.token_hex(4)}.toml"
    try:
        with temporary.open("xb") as stream:
            if target.exists():
                os.fchmod(stream.fileno(), stat.S_IMODE(target.stat().st_mode))
            stream.write(merged.text.encode())
            stream.flush()
            os.fsync(stream.fileno())
        if read_rig_text(target) != merged.before:
            raise RigFault(f"{file}: somebody changed it meanwhile; nothing was written")
        temporary.replace(target)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", file=file) from error
    finally:
        temporary.unlink(missing_ok=True)
