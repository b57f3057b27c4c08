"""Programs that read files and say what is there, in busybox's wording: ``cat``, ``ls`` and their like."""

from __future__ import annotations

import fnmatch
import hashlib
import posixpath
from datetime import UTC, datetime

from harness_pelion.virtual.calling import Call, ProgramFailed
from harness_pelion.virtual.filesystem import ROOT, Directory, File, FsError

_BLOCK = 1024
_MODE_LETTERS = "rwxrwxrwx"


def concatenate(call: Call) -> None:
    """Be ``cat``."""
    for name in call.options("u")[1] or ["-"]:
        if name == "-":
            call.write(call.stdin)
            continue
        path = call.path(name)
        if call.filesystem.is_directory(path):
            call.complain("read error: Is a directory")
            continue
        call.trying(f"can't open '{name}'", lambda path: call.write(call.filesystem.read(path)), path)


def digest(call: Call) -> None:
    """Be ``sha256sum``."""

    def tell(name: str, data: bytes) -> None:
        call.say(f"{hashlib.sha256(data).hexdigest()}  {name}")

    for name in call.options("")[1] or ["-"]:
        if name == "-":
            tell(name, call.stdin)
        elif call.filesystem.is_directory(call.path(name)):
            call.complain(f"can't read '{name}': Is a directory")
        else:
            path = call.path(name)
            call.trying(
                f"can't open '{name}'", lambda name, path: tell(name, call.filesystem.read(path)), name, path
            )


def list_files(call: Call) -> None:
    """Be ``ls``."""
    options, operands = call.options("laA1dh")
    names = operands or ["."]
    found = [(name, call.filesystem.find(call.path(name))) for name in sorted(names)]
    for name, entry in found:
        if entry is None:
            call.complain(f"{name}: No such file or directory")
    plain = [
        (name, entry)
        for name, entry in found
        if entry is not None and ("d" in options or isinstance(entry, File))
    ]
    for name, entry in plain:
        call.say(_listed(name, entry, options))
    directories = [name for name, entry in found if isinstance(entry, Directory) and "d" not in options]
    for number, name in enumerate(directories):
        if len(names) > 1:
            call.say(f"\n{name}:" if plain or number else f"{name}:")
        for each in _shown(call, name, options):
            call.say(_listed(each, call.filesystem.entry(call.path(posixpath.join(name, each))), options))


def _shown(call: Call, name: str, options: dict[str, str]) -> list[str]:
    names = call.filesystem.names(call.path(name))
    if "a" in options:
        return [".", "..", *names]
    return names if "A" in options else [each for each in names if not each.startswith(".")]


def _listed(name: str, entry: File | Directory, options: dict[str, str]) -> str:
    if "l" not in options:
        return name
    moment = datetime.fromtimestamp(entry.mtime, UTC).strftime("%b %e %H:%M")
    return f"{_letters(entry)}    1 root     root     {_size(entry):9d} {moment} {name}"


def _letters(entry: File | Directory) -> str:
    granted = (
        letter if entry.mode & (1 << (8 - number)) else "-" for number, letter in enumerate(_MODE_LETTERS)
    )
    return ("d" if isinstance(entry, Directory) else "-") + "".join(granted)


def _size(entry: File | Directory) -> int:
    return len(entry.data) if isinstance(entry, File) else 0


def state(call: Call) -> None:
    """Be ``stat``; ``-c`` knows ``%a %F %G %n %s %U %Y``."""
    options, operands = call.options("t", with_value="c", least=1)
    form = options.get("c", "  File: %n\n  Size: %s\t%F\nAccess: (0%a)  Uid: %U   Gid: %G\nModify: %Y")
    for name in operands:
        entry = call.filesystem.find(call.path(name))
        if entry is None:
            call.complain(f"can't stat '{name}': No such file or directory")
            continue
        kind = "directory" if isinstance(entry, Directory) else "regular file"
        known = {
            "%a": f"{entry.mode:o}",
            "%F": kind if _size(entry) or isinstance(entry, Directory) else "regular empty file",
            "%G": "root",
            "%n": name,
            "%s": str(_size(entry)),
            "%U": "root",
            "%Y": str(int(entry.mtime)),
        }
        call.say(_filled(form, known))


def _filled(form: str, known: dict[str, str]) -> str:
    filled, position = "", 0
    while position < len(form):
        pair = form[position : position + 2]
        filled += known.get(pair, form[position])
        position += 2 if pair in known else 1
    return filled


def find(call: Call) -> None:
    """Be ``find`` with ``-name``, ``-type``, ``-maxdepth`` and ``-print``."""
    arguments = list(call.arguments)
    start = next((at for at, each in enumerate(arguments) if each.startswith("-")), len(arguments))
    names, tests = arguments[:start] or ["."], _tests(arguments[start:])
    for name in names:
        path = call.path(name)
        try:
            found = list(call.filesystem.walk(path))
        except FsError as error:
            call.complain(f"{name}: {error.reason}")
            continue
        for each, entry in found:
            below = each[len(path) :].lstrip("/")
            if _fits(each, entry, below.count("/") + bool(below), tests):
                call.say(posixpath.join(name, below) if below else name)


def _tests(arguments: list[str]) -> dict[str, str]:
    tests: dict[str, str] = {}
    rest = iter(arguments)
    for each in rest:
        if each == "-print":
            continue
        if each not in ("-name", "-type", "-maxdepth"):
            raise ProgramFailed(f"unrecognized: {each}")
        value = next(rest, None)
        if value is None:
            raise ProgramFailed(f"{each} needs an argument")
        if (each == "-type" and value not in ("f", "d")) or (each == "-maxdepth" and not value.isdigit()):
            raise ProgramFailed(f"invalid argument '{value}' to '{each}'")
        tests[each] = value
    return tests


def _fits(path: str, entry: File | Directory, depth: int, tests: dict[str, str]) -> bool:
    kind = "d" if isinstance(entry, Directory) else "f"
    return (
        tests.get("-type", kind) == kind
        and depth <= int(tests.get("-maxdepth", depth))
        and fnmatch.fnmatchcase(posixpath.basename(path) or ROOT, tests.get("-name", "*"))
    )


def room(call: Call) -> None:
    """Be ``df``."""
    _options, operands = call.options("hk")
    filesystem = call.filesystem
    mounts = list(filesystem.mounts.values())
    if operands:
        mounts = []
        for name in operands:
            if call.trying(name, filesystem.entry, call.path(name)):
                mounts.append(filesystem.mount_of(call.path(name)))
    call.say("Filesystem           1K-blocks      Used Available Use% Mounted on")
    for mount in mounts:
        device = "/dev/mmcblk0p3" if mount.where == ROOT else "tmpfs"
        left = max(0, filesystem.room(mount))
        used = mount.capacity - left
        share = round(100 * used / mount.capacity) if mount.capacity else 100
        numbers = f"{mount.capacity // _BLOCK:10d} {used // _BLOCK:9d} {left // _BLOCK:9d}"
        call.say(f"{device:20s} {numbers} {share:3d}% {mount.where}")


PROGRAMS = {
    "cat": concatenate,
    "df": room,
    "find": find,
    "ls": list_files,
    "sha256sum": digest,
    "stat": state,
}
