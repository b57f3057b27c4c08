"""The user store and the team store: an API key, and the certificates of a team.

Layout and ``config.json`` are those of MBL CLI, so that both may use the same stores (pelion fact sheet,
section 1.4): each named set of credentials is a directory ``STORE/NAME`` in the team store with one
``VARIABLE.bin`` a variable, and ``dev_certs`` lists the files by their absolute paths.
"""

from __future__ import annotations

import json
import re
import shutil
import stat
from abc import ABC, abstractmethod
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, TypeVar

from harness.errors import UsageError
from harness_pelion.resources import KINDS, SUFFIX, DeveloperCredentials, Resources, UpdateResources
from harness_pelion.store_files import (
    UNFINISHED,
    Rights,
    beside,
    locked,
    make_directory,
    replace_file,
    write_into,
)
from harness_pelion.stores_file import locations, read_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONFIG = "config.json"

_LOCATION, _API_KEY, _CERTIFICATES = "location", "api_key", "dev_certs"
_EXPECTED = f"an object with {_LOCATION}, {_API_KEY} and {_CERTIFICATES}, as MBL CLI writes it"
_FILE = re.compile(rf"[A-Za-z_][A-Za-z0-9_]{{0,127}}{re.escape(SUFFIX)}")
_LONGEST_NAME, _MOST_NAME_BYTES = 100, 200
_LARGEST = 256 * 1024
#: Each certificate takes one to two thousand bytes of the index: this is room for ten thousand of them.
_LARGEST_INDEX = 16 * 1024 * 1024
#: What stands in the way of a set that replaces it is called so for a moment.
_REPLACED = ".replaced."

Kept = TypeVar("Kept", bound=Resources)


@dataclass(frozen=True, slots=True)
class Stores:
    """Both stores of a person."""

    user: UserStore
    team: TeamStore


def open_stores(home: Path | None = None) -> Stores:
    """Return the stores that ``~/.mbl-stores.json`` names; nothing is made before something is kept there.

    :param home: the home directory. Default: that of whoever runs this.
    :raises UsageError: the file does not say where they are.
    """
    where = locations(home)
    return Stores(
        UserStore(where.user, make_parents=where.by_default),
        TeamStore(where.team, make_parents=where.by_default),
    )


def check_name(name: str, key: str = "name") -> str:
    """Return a name of a certificate if it can be that of a directory.

    :param key: which argument gave it, for the message.
    :raises UsageError: it cannot, or would lead elsewhere.
    """
    if (
        not 0 < len(name) <= _LONGEST_NAME
        or not name.isprintable()  # what is half a character is not printable either
        or len(name.encode()) > _MOST_NAME_BYTES
        or "/" in name
        or name[0] in ".- "
        or name[-1] == " "
        or name == CONFIG
    ):
        raise UsageError(
            "no name for a certificate",
            key=key,
            value=name,
            expected=f"1 to {_LONGEST_NAME} characters without '/', not beginning with '.' or '-'",
        )
    return name


class _Store(ABC):
    """A directory with a ``config.json``."""

    def __init__(self, directory: Path, *, make_parents: bool = False) -> None:
        """Use a directory, which is made when something is kept there.

        :param make_parents: make what is above it too. Not for a place that a person chose: that may be a
            disk which is not mounted.
        """
        self.directory = directory
        self._make_parents = make_parents

    @property
    def config_file(self) -> Path:
        """The file that says what is in the store."""
        return self.directory / CONFIG

    @abstractmethod
    def _rights(self) -> Rights:
        """Return who may use what is made here."""

    @contextmanager
    def _reading(self) -> Iterator[dict[str, Any]]:
        """Give what ``config.json`` says; a store that is not there is empty."""
        with ExitStack() as held:
            try:
                held.enter_context(locked(self.directory, alone=False))
            except FileNotFoundError:
                config: dict[str, Any] = {}
            except OSError as error:
                raise UsageError(f"cannot be read: {error.strerror}", file=self.directory) from error
            else:
                config = self._config()
            yield config

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        """Give what ``config.json`` says, and write it back when the block changed it.

        Keys that we do not know stay as they are.
        """
        self._make()
        try:
            with locked(self.directory, alone=True):
                self._tidy()
                config = self._config()
                before = json.dumps(config)
                yield config
                if json.dumps(config) != before or not self.config_file.exists():
                    content = json.dumps(config, indent=4) + "\n"
                    replace_file(self.config_file, content.encode(), self._rights())
        except OSError as error:
            raise UsageError(
                f"cannot be changed: {error.strerror}", file=error.filename or self.directory
            ) from error

    def _tidy(self) -> None:
        """Remove what somebody did not finish: who is still at it holds the lock."""
        for path in self.directory.glob(f"{UNFINISHED}*"):
            _remove(path)

    def _make(self) -> None:
        if self.directory.is_dir():
            return
        try:
            if self._make_parents:
                self.directory.parent.mkdir(parents=True, exist_ok=True)
            make_directory(self.directory, self._rights())
        except FileExistsError as error:
            if not self.directory.is_dir():
                raise UsageError("is no directory", file=self.directory, expected="a store") from error
        except OSError as error:
            raise UsageError(
                f"the store cannot be made: {error.strerror}",
                file=self.directory,
                expected="a place that is there and that you may write to",
            ) from error

    def _config(self) -> dict[str, Any]:
        empty = {_LOCATION: str(self.directory), _API_KEY: "", _CERTIFICATES: {}}
        try:
            return {**empty, **read_object(self.config_file, _EXPECTED, _LARGEST_INDEX)}
        except FileNotFoundError:
            return empty


class UserStore(_Store):
    """What is one person's: the API key. The directory is for nobody else, nor are its files."""

    def _rights(self) -> Rights:
        return Rights.private()

    def save_api_key(self, key: str) -> None:
        """Keep an API key in the place of the one before.

        :raises UsageError: it cannot be one, or cannot be kept.
        """
        key = key.strip()
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise UsageError("no API key", expected="one word of printable characters")
        with self._changing() as config:
            config[_API_KEY] = key

    def api_key(self) -> str | None:
        """Return the API key, or ``None`` when none is kept.

        :raises UsageError: the store cannot be read, or others can read the key too.
        """
        with self._reading() as config:
            key = config.get(_API_KEY, "")
            if not isinstance(key, str):
                raise UsageError("is no text", file=self.config_file, key=_API_KEY, expected="an API key")
            if not key.strip():
                return None
            if all(stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (self.directory, self.config_file)):
                raise UsageError(
                    "others can read your API key", file=self.config_file, expected="mode 0600: chmod 600"
                )
            return key.strip()


class TeamStore(_Store):
    """What is a team's: developer certificates and update resources. Its group may read, its owner change."""

    def _rights(self) -> Rights:
        return Rights.of_team(self.directory)

    def names(self) -> dict[str, str]:
        """Return what is kept: names of certificates, and what kind each is; sorted."""
        with self._reading() as config:
            return {name: self._kind(paths) for name, paths in sorted(self._listed(config).items())}

    def developer(self, name: str) -> DeveloperCredentials | None:
        """Return developer credentials, or ``None`` when there are none of that name.

        :raises UsageError: what is kept there is something else, or not whole.
        """
        return self._load(name, DeveloperCredentials)

    def update(self, name: str) -> UpdateResources | None:
        """Return update resources, or ``None`` when there are none of that name.

        :raises UsageError: what is kept there is something else, or not whole.
        """
        return self._load(name, UpdateResources)

    def check_free(self, name: str, kind: type[Resources], key: str = "name") -> None:
        """See that nothing of another kind has a name: both kinds share one name space.

        :raises UsageError: it has.
        """
        other = self.names().get(check_name(name, key), kind.KIND)
        if other != kind.KIND:
            raise UsageError(f"has the name of {other}", key=key, value=name, expected="another name")

    def save(self, kept: Resources) -> bool:
        """Keep a set of credentials or resources by its name, whole or not at all.

        :return: whether anything was written; what is there already is left alone.
        :raises UsageError: something of another kind has that name, or it cannot be written.
        """
        kind = type(kept)
        self.check_free(kept.name, kind)
        with suppress(UsageError):  # one that is not whole is replaced
            there = self._load(kept.name, kind)
            if there is not None and dict(there.files) == dict(kept.files):
                return False
        with self._changing() as config:
            target = self.directory / kept.name
            self._put(target, kept.bin_files)
            self._listed(config)[kept.name] = [str(target / file) for file in kept.bin_files]
        return True

    def delete(self, name: str) -> bool:
        """Delete what is kept by a name.

        :return: whether there was anything.
        :raises UsageError: it cannot be deleted.
        """
        check_name(name)
        if not self.directory.is_dir():
            return False
        with self._changing() as config:
            known = self._listed(config).pop(name, None) is not None
            target = self.directory / name
            if target.is_symlink() or target.exists():
                known = True
                away = beside(target)
                target.rename(away)
                _remove(away)
            return known

    def _put(self, target: Path, files: Mapping[str, bytes]) -> None:
        """Make a directory of files that is seen only when it is whole."""
        rights = self._rights()
        unfinished, replaced = beside(target), self.directory / f"{_REPLACED}{target.name}"
        try:
            make_directory(unfinished, rights)
            for name, content in files.items():
                write_into(unfinished / name, content, rights)
            if target.is_symlink() or target.exists():
                target.rename(replaced)
            unfinished.rename(target)
        finally:
            _remove(unfinished)
            self._put_back()

    def _tidy(self) -> None:
        super()._tidy()
        self._put_back()

    def _put_back(self) -> None:
        """Put back what was to be replaced by something that never came, and remove what was replaced."""
        for replaced in self.directory.glob(f"{_REPLACED}*"):
            target = self.directory / replaced.name.removeprefix(_REPLACED)
            if target.exists():
                _remove(replaced)
            else:
                replaced.rename(target)

    def _load(self, name: str, kind: type[Kept]) -> Kept | None:
        check_name(name)
        with self._reading() as config:
            listed = self._listed(config)
            if name not in listed:
                return None
            files = {
                file.removesuffix(SUFFIX): self._read(name, file) for file in self._files(name, listed[name])
            }
        return kind(name, files).checked(self.directory / name)

    def _read(self, name: str, file: str) -> bytes:
        path = self.directory / name / file
        try:
            with path.open("rb") as stream:
                content = stream.read(_LARGEST + 1)
        except OSError as error:
            raise UsageError(
                f"{self.config_file} lists this file, but it cannot be read: {error.strerror}",
                file=path,
                expected="the file, or the certificate deleted and stored again",
            ) from error
        if len(content) > _LARGEST:
            raise UsageError("is too large", file=path, expected=f"at most {_LARGEST} bytes")
        return content

    def _listed(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return what ``config.json`` lists: paths of files by names of certificates, to be changed here."""
        listed = config.setdefault(_CERTIFICATES, {})
        if not isinstance(listed, dict):
            raise UsageError("holds no object", file=self.config_file, key=_CERTIFICATES, expected=_EXPECTED)
        return listed

    def _files(self, name: str, paths: object) -> list[str]:
        """Return the names of a certificate's files.

        MBL CLI lists absolute paths. Only their last parts count: the store may be mounted elsewhere here,
        and no list makes us read outside of it.
        """
        files = _names_of(paths)
        if files is None:
            raise UsageError(
                "holds no paths of files",
                file=self.config_file,
                key=f"{_CERTIFICATES}.{name}",
                expected=f"a list of paths that end with VARIABLE{SUFFIX}",
            )
        return files

    def _kind(self, paths: object) -> str:
        variables = {file.removesuffix(SUFFIX) for file in _names_of(paths) or ()}
        return next((kind.KIND for kind in KINDS if set(kind.REQUIRED) <= variables), "incomplete")


def _names_of(paths: object) -> list[str] | None:
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        return None
    names = [PurePath(path).name for path in paths]
    return names if all(_FILE.fullmatch(name) for name in names) else None


def _remove(path: Path) -> None:
    """Remove a file, a link or a directory with all that is in it; what is not there is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
