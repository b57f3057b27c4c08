"""One directory of Allure results of several: nothing is lost where names clash, and runners stay apart."""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from harness.merging.accounts import Outcome
    from harness.merging.runs import Run

ENVIRONMENT: Final = "environment.properties"
EXECUTOR: Final = "executor.json"
_RESULT = "-result.json"
_CONTAINER = "-container.json"
_NAMES = uuid.UUID("5b1f3a86-2c8e-4d0b-9d5e-3f6f3f0d7a10")
_LARGEST = 256 * 1024 * 1024


class AllureMerge:
    """Fills a directory with the results of sessions, one after the other.

    :ivar results: how many results there are in it.
    :ivar complaints: what could not be taken over whole, in lines.
    """

    def __init__(self, target: Path) -> None:
        """Fill a directory.

        :param target: an empty directory.
        """
        self.results = 0
        self.complaints: list[str] = []
        self._target = target
        self._names: dict[str, bytes] = {}  # names in the target, and what is there
        self._documents: set[tuple[str, bytes]] = set()  # what was taken over: a name, and what was there
        self._uuids: set[str] = set()
        self._environments: dict[str, dict[str, str]] = {}

    def add(
        self,
        run: Run,
        directory: Path,
        *,
        later: Mapping[str, Outcome] | None = None,
        own: Collection[str] = (),
    ) -> None:
        """Take over the results of a session.

        Allure shows of a test what it came to last. Where an earlier outcome stands, the later one is shown
        beside it, as of another test; when the test did not run then, it is not shown.

        :param run: the session.
        :param directory: where they are.
        :param later: by name, what those tests came to of which an earlier outcome stands.
        :param own: names of tests that each shard has for its own bench.
        """
        _Intake(self, run, directory, later or {}, own).take()

    def finish(self) -> None:
        """Write what the sessions have in common, and what each has for itself."""
        if not self._environments:
            return
        lines = [f"{name} = {value}" for name, value in _joint_environment(self._environments).items()]
        (self._target / ENVIRONMENT).write_text("\n".join(lines) + "\n", encoding="utf-8")


class _Intake:
    """Takes over one directory."""

    def __init__(
        self,
        merge: AllureMerge,
        run: Run,
        directory: Path,
        later: Mapping[str, Outcome],
        own: Collection[str],
    ) -> None:
        self._merge = merge
        self._later = later
        self._own = own
        self._run = run
        self._directory = directory
        self._place = f"{run.name}/{run.run_id or directory}"
        self._documents: list[Path] = []
        self._files: list[Path] = []
        self._environment: dict[str, str] = {}

    def take(self) -> None:
        self._sort()
        if self._environment:
            name = self._run.name
            if name in self._merge._environments:  # of the session whose repetition this is
                name = f"{name} {self._run.run_id or len(self._merge._environments)}"
            self._merge._environments[name] = self._environment
        files = {file.name: self._take_file(file) for file in self._files}
        uuids = self._take_uuids()
        results = {old: new for name, (old, new) in uuids.items() if name.endswith(_RESULT)}
        for name, (_, new) in uuids.items():
            document = json.loads((self._directory / name).read_text(encoding="utf-8"))
            document["uuid"] = new
            if self._later.get(_name_of(document)) in {"not run", "skipped"}:
                continue
            self._rename_attachments(name, document, files)
            kind = _RESULT if name.endswith(_RESULT) else _CONTAINER
            if kind == _RESULT:
                self._tell_runner(document)
                self._merge.results += 1
            elif isinstance(document.get("children"), list):
                document["children"] = [results.get(str(child), child) for child in document["children"]]
            text = json.dumps(document, ensure_ascii=False)
            (self._merge._target / f"{new}{kind}").write_text(text, encoding="utf-8", errors="surrogatepass")

    def _sort(self) -> None:
        """Find out what each file is."""
        for file in sorted(self._directory.iterdir()):
            if file.is_symlink() or not file.is_file():
                self._complain(f"{file.name} is no plain file and was left out")
            elif file.name.endswith((_RESULT, _CONTAINER)):
                self._documents.append(file)
            elif file.name == ENVIRONMENT:
                self._environment |= _properties(file)
            elif file.name == EXECUTOR:
                self._environment |= _executor(file)
            else:
                self._files.append(file)

    def _complain(self, text: str) -> None:
        self._merge.complaints.append(f"{self._run.name}: Allure: {text}")

    def _take_file(self, file: Path) -> str:
        """Copy what is no document; return its name in the target, where it may be another one."""
        content = _digest_of(file)
        name = file.name
        if self._merge._names.get(name, content) != content:
            name = f"{uuid.uuid5(_NAMES, f'{self._place}/{name}')}-{name}"
        if name not in self._merge._names:
            shutil.copyfile(file, self._merge._target / name)
            self._merge._names[name] = content
        return name

    def _take_uuids(self) -> dict[str, tuple[str, str]]:
        """Give each document an id that no other has; return by name the one it had, and the one it has.

        The very same file is taken over once: it lay there when another session of that runner began.
        """
        found = {}
        for file in self._documents:
            old = _uuid_of(file)
            if old is None:
                self._complain(f"{file.name} is damaged and was left out")
                continue
            this = (file.name, _digest_of(file))
            if this in self._merge._documents:
                continue
            self._merge._documents.add(this)
            new = old
            if old in self._merge._uuids or not _is_plain(old):
                new = str(uuid.uuid5(_NAMES, f"{self._place}/{file.name}"))
            self._merge._uuids.add(new)
            found[file.name] = (old, new)
        return found

    def _rename_attachments(self, name: str, document: dict[str, Any], names: Mapping[str, str]) -> None:
        for attachment in _attachments(document):
            source = str(attachment.get("source"))
            if source in names:
                attachment["source"] = names[source]
            else:
                self._complain(f"{name} has an attachment {source[:80]!r} that is not there")

    def _tell_runner(self, result: dict[str, Any]) -> None:
        """Tell results of one test on several runners apart; those of one runner are attempts at it."""
        labels = _list_of(result, "labels")
        if self._run.share is not None:
            labels.append({"name": "shard", "value": self._run.share.name})
        name = _name_of(result)
        if self._run.share is not None and name in self._own:
            _tell_apart(result, "shard", self._run.share.name)
        if self._run.runner:
            labels.append({"name": "runner", "value": self._run.runner})
            _tell_apart(result, "runner", self._run.runner)
        if name in self._later:
            _tell_apart(result, "ran again", self._run.run_id or self._run.name)


def _tell_apart(result: dict[str, Any], name: str, value: str) -> None:
    """Make a result one of another test than those that differ from it by that alone."""
    _list_of(result, "parameters").append({"name": name, "value": value})
    if isinstance(result.get("historyId"), str):
        text = f"{result['historyId']} {value}"
        result["historyId"] = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _name_of(result: Mapping[str, Any]) -> str:
    """Return the name that a report of JUnit has for a test of ours."""
    name = str(result.get("fullName")).replace("#", ".")
    parameters = result.get("parameters")
    for parameter in parameters if isinstance(parameters, list) else ():
        if isinstance(parameter, dict) and parameter.get("name") == "case":
            return f"{name}[{parameter.get('value')}]"
    return name


def _load(file: Path) -> Any:
    """Read JSON; ``None`` when it is damaged, as a process that was killed leaves it."""
    if file.stat().st_size > _LARGEST:
        return None
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return None


def _uuid_of(file: Path) -> str | None:
    document = _load(file)
    found = document.get("uuid") if isinstance(document, dict) else None
    return found if isinstance(found, str) and found else None


def _executor(file: Path) -> dict[str, str]:
    """Say in words who ran it: a directory of results has one executor, and there are several."""
    data = _load(file)
    if not isinstance(data, dict):
        return {}
    words = [data[key] for key in ("name", "buildName", "buildUrl") if isinstance(data.get(key), str)]
    return {"executor": " ".join(" ".join(words).split())}


def _is_plain(name: str) -> bool:
    """Tell whether a text can be part of a file's name anywhere."""
    return name.isascii() and name.replace("-", "").replace("_", "").isalnum()


def _list_of(document: dict[str, Any], key: str) -> list[Any]:
    if not isinstance(document.get(key), list):
        document[key] = []
    values: list[Any] = document[key]
    return values


def _attachments(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Give every attachment in a document, those of its steps and fixtures included."""
    pending: list[Any] = [document]
    while pending:
        each = pending.pop()
        if isinstance(each, list):
            pending += each
        elif isinstance(each, dict):
            for key, value in each.items():
                if key == "attachments" and isinstance(value, list):
                    yield from (one for one in value if isinstance(one, dict))
                elif isinstance(value, (list, dict)):
                    pending.append(value)


def _digest_of(file: Path) -> bytes:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def _properties(file: Path) -> dict[str, str]:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _joint_environment(environments: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Say once what is so for all, and of each runner what is its own.

    The bench is said for all in any case: no virtual run may pass for one on hardware.
    """
    joint: dict[str, str] = {}
    names = dict.fromkeys(name for environment in environments.values() for name in environment)
    for name in names:
        values = {runner: environment.get(name) for runner, environment in environments.items()}
        different = dict.fromkeys(value for value in values.values() if value is not None)
        if len(set(values.values())) == 1:
            joint[name] = next(iter(different))
            continue
        if name == "bench":
            joint[name] = " + ".join(different)
        prefixed = {runner: value for runner, value in values.items() if value is not None}
        joint |= {f"{runner.replace(' ', '-')}.{name}": value for runner, value in prefixed.items()}
    return joint
