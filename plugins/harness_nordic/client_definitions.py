"""The accounts of what a client defines in a team: each tag and rule is in the ledger before the call.

Definitions have names that their maker chose, and ids that the service gave them. What has an id in the
ledger is undone by it. What has none, because nobody saw the answer, is looked for by its name, and undone
only if the name is the run's own: nobody else would have chosen it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import BackendFault, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from harness.backends.contract import Accounts
    from harness.backends.ledger import Entry
    from harness_nordic.client_core_accounts import Whose


class StaysBehind(Exception):
    """The service does not let a definition be found or deleted; who had it made accepted that. Says why."""


@dataclass(slots=True, kw_only=True)
class Definition:
    """Something that was defined, or may have been.

    :ivar number: of its entry in the ledger.
    :ivar id: the service's own; empty until it is known.
    """

    name: str
    number: int
    id: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """How a kind of definition is found and deleted.

    :ivar kind: in the ledger, for example ``tag``.
    :ivar find: returns the id that the team's definition of a name has, or ``None``; may say that it
        :class:`StaysBehind`.
    :ivar delete: deletes by id; returns whether it was still there; may say the same.
    """

    kind: str
    find: Callable[[str], str | None]
    delete: Callable[[str], bool]


class Definitions:
    """What one team defined here and has not deleted; all of one kind."""

    def __init__(
        self, way: Way, accounts: Accounts, key: Whose, run_id: str, labels: Mapping[str, str] | None = None
    ) -> None:
        """Have defined nothing yet.

        :param accounts: the part of the ledger that is ours.
        :param key: whose fingerprint each entry is to have.
        :param run_id: part of the names that are the run's own.
        :param labels: what else each entry is to say: the name by which a fake knows the team.
        """
        self._way = way
        self._accounts = accounts
        self._key = key
        self._run_id = run_id
        self._labels = dict(labels or {})
        self._all: list[Definition] = []
        self._proven: set[str] = set()

    def intend(self, name: str) -> Definition:
        """Note what is about to be defined.

        :raises RigFault: it cannot be noted; define nothing then.
        """
        own = "yes" if self._run_id and self._run_id in name else "no"
        number = self._accounts.note(
            self._way.kind, name, state="intended", key=self._key.whose, own=own, **self._labels
        )
        definition = Definition(name=name, number=number)
        self._all.append(definition)
        return definition

    def made(self, definition: Definition, identifier: str) -> None:
        """Something was defined."""
        definition.id = identifier
        self._accounts.amend(definition.number, state="made", id=identifier)

    def never_made(self, definitions: Iterable[Definition]) -> None:
        """Strike out what was refused."""
        for definition in list(definitions):
            self._accounts.settle(definition.number)
            self._all.remove(definition)

    def gone(self, identifier: str) -> None:
        """Strike out what was deleted."""
        self.never_made(definition for definition in self._all if definition.id == identifier)

    def may_change(self, identifier: str) -> bool:
        """Tell whether something was defined here, or is being undone since the ledger proves whose it is."""
        return identifier in self._proven or any(each.id == identifier for each in self._all)

    def undo(self) -> list[BackendFault]:
        """Delete what is still there, newest first.

        :return: what could not be deleted, and why; it stays in the ledger.
        """
        faults = []
        for definition in reversed(self._all):
            try:
                self._undo(definition.name, definition.id, own=self._run_id in definition.name)
            except BackendFault as fault:
                faults.append(fault)
            else:
                self._accounts.settle(definition.number)
        self._all.clear()
        return faults

    def forget(self) -> None:
        """Leave what is defined as it is; it stays in the ledger."""
        self._all.clear()

    def undo_entry(self, entry: Entry) -> str:
        """Undo what a dead worker or session left, if the ledger proves it to be that one.

        :return: what became of it.
        :raises UsageError: it was defined with another key.
        :raises BackendFault: the service does not do it, or cannot be asked.
        """
        details = entry.details
        if details.get("key") != self._key.whose:
            raise UsageError(
                f"the {self._way.kind} {entry.subject!r} was defined with another API key",
                key="NRFCLOUD_API_KEY",
                expected="the key that the session had",
            )
        return self._undo(entry.subject, details.get("id", ""), own=details.get("own") == "yes")

    def _undo(self, name: str, identifier: str, *, own: bool) -> str:
        try:
            return self._find_and_delete(name, identifier, own=own)
        except StaysBehind as stays:
            return f"perhaps still there: {stays}"

    def _find_and_delete(self, name: str, identifier: str, *, own: bool) -> str:
        if identifier:
            return self._delete(identifier)
        found = self._way.find(name)
        if found is None:
            return "never made, or gone already"
        if not own:
            return "somebody else may have defined it: left alone"
        return self._delete(found)

    def _delete(self, identifier: str) -> str:
        self._proven.add(identifier)
        try:
            return "deleted" if self._way.delete(identifier) else "gone already"
        finally:
            self._proven.discard(identifier)
