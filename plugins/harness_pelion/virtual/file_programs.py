"""Programs that change files, in the wording of busybox: ``rm``, ``mkdir``, ``mv``, ``cp`` and their like."""

from __future__ import annotations

import errno
import posixpath

from harness_pelion.virtual.calling import Call, ProgramFailed
from harness_pelion.virtual.filesystem import DIRECTORY_MODE, Directory, File, FsError, absolute

_MODES = 0o7777


def remove(call: Call) -> None:
    """Be ``rm``."""
    options, operands = call.options("rRfi", least=0)
    forced = "f" in options
    if not operands and not forced:
        raise ProgramFailed("missing operand")
    for name in operands:
        path = call.path(name)
        found = call.filesystem.find(path)
        if found is None and forced:
            continue
        if isinstance(found, Directory) and not options.keys() & {"r", "R"}:
            call.complain(f"'{name}' is a directory")
            continue
        _remove_tree(call, path, name)


def _remove_tree(call: Call, path: str, name: str) -> None:
    found = call.filesystem.find(path)
    if isinstance(found, Directory):
        for each in call.filesystem.names(path):
            _remove_tree(call, posixpath.join(path, each), posixpath.join(name, each))
        if path in call.filesystem.mounts:
            call.complain(f"can't remove '{name}': Device or resource busy")
            return
    call.trying(f"can't remove '{name}'", call.filesystem.remove, path)


def remove_directory(call: Call) -> None:
    """Be ``rmdir``."""
    for name in call.options("p", least=1)[1]:
        path = call.path(name)
        if isinstance(call.filesystem.find(path), File):
            call.complain(f"'{name}': Not a directory")
        else:
            call.trying(f"'{name}'", call.filesystem.remove, path)


def make_directories(call: Call) -> None:
    """Be ``mkdir``."""
    options, operands = call.options("p", with_value="m", least=1)
    mode = _mode(options["m"]) if "m" in options else DIRECTORY_MODE
    for name in operands:
        path = call.path(name)
        complaint = f"can't create directory '{name}'"
        if "p" not in options:
            call.trying(complaint, call.filesystem.make_directory, path, mode)
        elif not call.filesystem.is_directory(path):
            call.trying(complaint, _make_all, call, path, mode)


def _make_all(call: Call, path: str, mode: int) -> None:
    missing = []
    way = path
    while not call.filesystem.is_directory(way):
        missing.append(way)
        way = posixpath.dirname(way)
    for each in reversed(missing):
        call.filesystem.make_directory(each, mode if each == path else DIRECTORY_MODE)


def move(call: Call) -> None:
    """Be ``mv``."""
    _options, operands = call.options("fin", least=2)
    for name, path, target in _targets(call, operands):
        call.trying(f"can't rename '{name}'", _move_one, call, path, target)


def _move_one(call: Call, path: str, target: str) -> None:
    call.filesystem.entry(path)
    try:
        call.filesystem.rename(path, target)
    except FsError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy_tree(call, path, target)
        for each in reversed([each for each, _entry in call.filesystem.walk(path)]):
            call.filesystem.remove(each)


def copy(call: Call) -> None:
    """Be ``cp``."""
    options, operands = call.options("rRafpd", least=2)
    for name, path, target in _targets(call, operands):
        found = call.filesystem.find(path)
        if found is None:
            call.complain(f"can't stat '{name}': No such file or directory")
        elif isinstance(found, Directory) and not options.keys() & {"r", "R", "a"}:
            call.complain(f"omitting directory '{name}'")
        elif path == target:
            call.complain(f"'{name}' and '{operands[-1]}' are the same file")
        elif isinstance(found, Directory) and absolute(target).startswith(f"{path}/"):
            call.complain(f"recursion detected, omitting directory '{name}'")
        else:
            call.trying(f"can't create '{target}'", _copy_tree, call, path, target)


def _targets(call: Call, operands: list[str]) -> list[tuple[str, str, str]]:
    """Return of each source its name, its path and the path that it is to get."""
    *sources, last = operands
    target = call.path(last)
    into = call.filesystem.is_directory(target)
    if len(sources) > 1 and not into:
        raise ProgramFailed(f"target '{last}' is not a directory")
    paths = [(name, call.path(name)) for name in sources]
    return [
        (name, path, posixpath.join(target, posixpath.basename(path)) if into else target)
        for name, path in paths
    ]


def _copy_tree(call: Call, source: str, target: str) -> None:
    filesystem = call.filesystem
    for path, entry in list(filesystem.walk(source)):
        there = target + path[len(source) :]
        if isinstance(entry, File):
            filesystem.write(there, entry.data, mode=entry.mode)
        elif not filesystem.is_directory(there):
            filesystem.make_directory(there, entry.mode)


def touch(call: Call) -> None:
    """Be ``touch``."""
    for name in call.options("c", least=1)[1]:
        path = call.path(name)
        if call.filesystem.find(path) is None:
            call.trying(name, call.filesystem.write, path, b"")
        else:
            now = call.machine.clock.now().timestamp()
            call.trying(name, call.filesystem.set_attributes, path, mtime=now)


def change_mode(call: Call) -> None:
    """Be ``chmod``, with octal modes."""
    _options, (text, *names) = call.options("", least=2)
    mode = _mode(text)
    for name in names:
        call.trying(name, call.filesystem.set_attributes, call.path(name), mode=mode)


def _mode(text: str) -> int:
    if not text or set(text) - set("01234567") or int(text, 8) > _MODES:
        raise ProgramFailed(f"invalid mode '{text}'")
    return int(text, 8)


PROGRAMS = {
    "chmod": change_mode,
    "cp": copy,
    "mkdir": make_directories,
    "mv": move,
    "rm": remove,
    "rmdir": remove_directory,
    "touch": touch,
}
