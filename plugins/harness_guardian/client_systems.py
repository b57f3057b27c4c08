"""The systems that a client made: each is in the ledger before the service hears of it.

A system's name holds the run's id and a random part, so nobody else would have chosen it.
"""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.backends.answers import parse_answer
from harness.errors import BackendFault, RequestRefused, UsageError
from harness_guardian.client_models import SETTLED, InstanceRecord, SignerKeyRecord, SystemRecord
from harness_guardian.client_package import PackageKey, make_package
from harness_guardian.client_requests import LONGEST_WAIT, PAUSE_SECONDS
from harness_guardian.enums import SignerKeyState, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.backends.ledger import Entry
    from harness_guardian.client import GuardianClient
    from harness_guardian.client_definitions import ComponentDefinition, SystemSettings
    from harness_guardian.client_models import RequestRow

SYSTEM = "system"
"""The kind of what is in the ledger."""

UNDO_SECONDS = 20.0
"""How long the requests of a system may take to come to their end, so that it can be deleted."""

_OK, _NO_CONTENT = 200, 204
_NOT_THERE = frozenset({403, 404, 410})
"""What may be answered for what is not there; that it is 404 is our own design."""

_OUR_FAULT = frozenset(range(400, 500)) - {401, 429}


class SystemHandle:
    """A system that was made here.

    :ivar name: its name, unique over the service.
    :ivar definition: as the service described it last.
    :ivar key: of its provisioning packages.
    """

    def __init__(self, client: GuardianClient, definition: SystemRecord, key: PackageKey) -> None:
        """Hold it; see :meth:`~harness_guardian.client.GuardianClient.create_system`."""
        self._client = client
        self.definition = definition
        self.key = key

    @property
    def name(self) -> str:
        """Its name."""
        return self.definition.name

    @property
    def id(self) -> str:
        """Its id, which is also in the names of what Vault has of it."""
        return self.definition.id

    @property
    def root_pem(self) -> str:
        """The certificate of its root."""
        return self.definition.trust[0]

    @property
    def intermediate_pem(self) -> str:
        """The certificate of what signs its devices' certificates."""
        return self.definition.trust[1]

    def instance(self, number: int = 0) -> InstanceRecord:
        """Return one of its instances, counted in the order in which they were made."""
        return self.definition.instances[number]

    def package(self, instance: int | InstanceRecord = 0, key: PackageKey | None = None) -> bytes:
        """Return the provisioning package of an instance: what a board is initialised with; a secret.

        :param instance: which, or its number.
        :param key: that requests are to be signed with; the system's by default.
        """
        chosen = self.instance(instance) if isinstance(instance, int) else instance
        return make_package(self.definition, chosen, key or self.key)

    def signer_key(self, state: SignerKeyState = SignerKeyState.ACTIVE) -> PackageKey:
        """Make a further key for packages, and register its public half in some state."""
        key = self._client.make_key()
        self.register(key, state)
        return key

    def register(self, key: PackageKey, state: SignerKeyState = SignerKeyState.ACTIVE) -> SignerKeyRecord:
        """Register the public half of a key, or change the state of one that is registered."""
        return self._client.register_signer_key(self.name, key, state)

    def add_instance(self, name: str) -> InstanceRecord:
        """Make a further instance."""
        operation = "CreateSystemInstance"
        response = self._client.door.request(
            "POST",
            f"/systems/{self.name}/instances",
            operation=operation,
            accept={200, 201},
            json={"name": name},
        )
        self.refresh()
        return parse_answer(InstanceRecord, response, operation)

    def change(self, **fields: Any) -> SystemRecord:
        """Change the definition, by the names that the API has for its fields."""
        operation = "UpdateSystem"
        response = self._client.door.request(
            "PATCH", f"/systems/{self.name}", operation=operation, accept={200}, json=fields
        )
        self.definition = parse_answer(SystemRecord, response, operation)
        return self.definition

    def refresh(self) -> SystemRecord:
        """Ask for the definition again."""
        self.definition = self._client.system(self.name)
        return self.definition

    def rows(self, **filters: Any) -> list[RequestRow]:
        """Return its provisioning requests; see :meth:`~harness_guardian.client.GuardianClient.rows`."""
        return self._client.rows(self.name, **filters)


@dataclass(slots=True, kw_only=True)
class _Made:
    """A system that was made, or may have been.

    :ivar number: of its entry in the ledger.
    """

    name: str
    number: int


class Systems:
    """What systems one client made here and has not deleted."""

    def __init__(self, client: GuardianClient, labels: Mapping[str, str]) -> None:
        """Have made none yet.

        :param labels: what else each entry is to say: the name by which a fake knows the organisation.
        """
        self._client = client
        self._labels = dict(labels)
        self._made: list[_Made] = []
        self._handles: list[SystemHandle] = []
        self._proven: set[str] = set()

    @property
    def handles(self) -> tuple[SystemHandle, ...]:
        """The systems that the running test made, oldest first."""
        return tuple(self._handles)

    def create(
        self,
        settings: SystemSettings,
        components: Sequence[ComponentDefinition],
        instances: Sequence[str],
        keys: Sequence[PackageKey] | None,
    ) -> SystemHandle:
        """Make a system, noted before it is made; see :class:`~harness_guardian.client.GuardianClient`."""
        client = self._client
        name = client.own_name("system")
        made = _Made(name=name, number=client.session.accounts.note(SYSTEM, name, **self._labels))
        self._made.append(made)
        key = client.make_key()
        operation = "CreateSystem"
        definition = {
            "name": name,
            **settings.fields(),
            "components": [component.fields() for component in components],
            "instances": [{"name": instance} for instance in instances],
        }
        try:
            response = client.door.request(
                "POST", "/systems", operation=operation, accept={200, 201}, json=definition
            )
        except RequestRefused as refused:
            if not refused.in_doubt:
                self._settle(made)
            raise
        record = parse_answer(SystemRecord, response, operation)
        handle = SystemHandle(client, record, key)
        self._handles.append(handle)
        for each in (key,) if keys is None else keys:
            client.register_signer_key(name, each, SignerKeyState.ACTIVE)
        return handle

    def delete(self, name: str) -> None:
        """Delete a system that was made here."""
        self._delete(name)
        for made in [made for made in self._made if made.name == name]:
            self._settle(made)

    def _settle(self, made: _Made) -> None:
        self._client.session.accounts.settle(made.number)
        self._made.remove(made)
        self._handles = [handle for handle in self._handles if handle.name != made.name]

    def is_ours(self, name: str) -> bool:
        """Tell whether a system was made here, or is being deleted because the ledger proves it ours."""
        return name in self._proven or any(made.name == name for made in self._made)

    def undo(self) -> list[BackendFault]:
        """Delete what is still there, newest first.

        :return: what could not be deleted, and why; it stays in the ledger.
        """
        faults = []
        for made in reversed(self._made):
            try:
                self._delete(made.name)
            except BackendFault as fault:
                faults.append(fault)
            else:
                self._client.session.accounts.settle(made.number)
        self.forget()
        return faults

    def forget(self) -> None:
        """Leave what was made as it is; it stays in the ledger."""
        self._made.clear()
        self._handles.clear()

    def undo_entry(self, entry: Entry) -> str:
        """Delete a system that a dead worker or session left.

        :return: what became of it.
        :raises UsageError: its name is none that this harness gives.
        :raises BackendFault: the service does not do it, or cannot be asked.
        """
        if entry.session not in entry.subject:
            raise UsageError(
                "is no name that the session gave: left alone",
                key=SYSTEM,
                value=entry.subject,
                expected=f"a name with {entry.session!r} in it",
            )
        self._proven.add(entry.subject)
        try:
            return self._delete(entry.subject)
        finally:
            self._proven.discard(entry.subject)

    def _delete(self, name: str) -> str:
        deadline = time.monotonic() + UNDO_SECONDS
        while not self._try_to_delete(name):
            if not self._is_there(name):
                return "gone already"
            left = deadline - time.monotonic()
            if left <= 0:
                raise BackendFault(f"the system {name} cannot be deleted: one of its requests does not end")
            self._wait_for_what_is_under_way(name, left)
        return "deleted"

    def _try_to_delete(self, name: str) -> bool:
        """Delete a system; return whether it was done. What else than 204 says why not, is not known."""
        response = self._client.door.request(
            "DELETE", f"/systems/{name}", operation="DeleteSystem", accept={_NO_CONTENT, *_OUR_FAULT}
        )
        return response.status_code == _NO_CONTENT

    def _is_there(self, name: str) -> bool:
        response = self._client.door.request(
            "GET", f"/systems/{name}", operation="GetSystem", accept={_OK, *_NOT_THERE}
        )
        return response.status_code == _OK

    def _wait_for_what_is_under_way(self, name: str, seconds: float) -> None:
        """Wait until a request that the service works at is at rest; what a device holds never is."""
        under_way = [row for row in self._client.rows(name) if row.status not in SETTLED]
        if not under_way:
            self._client.closing.pause(min(PAUSE_SECONDS, seconds))
        under_way.sort(key=lambda row: row.status is Status.PROVISIONING)  # which may wait for its device
        for row in under_way[:1]:
            with suppress(BackendFault):  # then it is tried again, or given up
                client = self._client.at_door_of(row)
                client.wait_until_settled(row.id, timeout=min(seconds, LONGEST_WAIT))


def random_part() -> str:
    """Return what makes a name nobody else's."""
    return secrets.token_hex(4)
