"""The typed client of nRF Cloud Identity & Provisioning: what suites call.

Calls and answers: nrfcloud fact sheet, section 2.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from harness.backends.answers import parse_answer
from harness.backends.http import ServiceHttp
from harness.backends.orders import control_of_fake
from harness.errors import BackendFault, UsageError
from harness.redaction import SHORTEST_SECRET
from harness_nordic.client_access import changed_device, not_ours, read_api_key, terms_for
from harness_nordic.client_bulk import BulkCalls
from harness_nordic.client_claims import CLAIM, DEVICES, Claims, tokens_in
from harness_nordic.client_core import CoreClient
from harness_nordic.client_core_accounts import CORE_DEVICE, UPDATE_JOB
from harness_nordic.client_definitions import Definitions, Way
from harness_nordic.client_faults import FaultCalls
from harness_nordic.client_models import DevicePage, DeviceRecord, DeviceRequest, DeviceRequests, TeamRecord
from harness_nordic.client_objects import ClaimedDevice
from harness_nordic.client_pages import read_pages
from harness_nordic.client_rules import RULE, RuleCalls
from harness_nordic.client_tags import TAG

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from harness.backends.contract import Backend, BackendSession, Change
    from harness.backends.ledger import Entry

_CLAIM_PATHS = (DEVICES, "/v1/identities/claimed-devices")
_CREATED = 201
_DRY_RUN = {"dryrun": "true"}


def connect(backend: Backend, session: BackendSession) -> NrfCloudClient:
    """Connect to a service: on a fake as a team of its own, else with the key of the environment.

    :raises UsageError: no key for a service that is no fake, or another variable that does not fit.
    :raises BackendFault: the fake's control socket refuses.
    """
    control = _control(backend)
    if control is None:
        return _connect_elsewhere(backend, session)
    # The worker that replaces a dead one gets its team again, and with it what the dead one left.
    name = f"{session.run_id}-{session.worker}"
    team = _team(control, {"name": name, "role": "owner"})
    http = ServiceHttp(backend.url, on_exchange=session.on_exchange)
    client = NrfCloudClient(backend, session, http, control, team, name)
    client.take_orders_back()  # a dead worker's faults would strike the one that replaces it
    return client


def _connect_elsewhere(backend: Backend, session: BackendSession) -> NrfCloudClient:
    """Connect to a service that is not ours, and keep from touching there what is not ours either."""

    def before_change(change: Change) -> None:
        client.refuse_foreign(change)
        session.before_change(change)

    key = read_api_key(backend.url)
    http = ServiceHttp(backend.url, on_exchange=session.on_exchange, terms=terms_for(backend, before_change))
    client = NrfCloudClient(backend, session, http, None, TeamRecord(owner_id="", api_key=key), None)
    return client


def enrol(backend: Backend, record: Mapping[str, Any]) -> None:
    """Register a board with the factory registry of a fake.

    :param record: ``uuid``, ``public_key`` (uncompressed point in hex, or PEM), ``imei``, ``device_type``
        and ``firmware_uuid``.
    :raises BackendFault: the fake refuses it.
    :raises UsageError: the backend is no fake.
    """
    if backend.control is None:
        raise UsageError(
            "boards can be enrolled with a fake only", key="--backend", value=f"{backend.name}={backend.url}"
        )
    with ServiceHttp("http://fake", socket=backend.control) as control:
        control.request("POST", "/factory", operation="enrol", accept={201}, json=dict(record))


def _control(backend: Backend) -> ServiceHttp | None:
    if backend.control is None:
        return None
    # Exchanges with the control socket are no business of the report: the service never sees them.
    return ServiceHttp("http://fake", socket=backend.control)


def _team(control: ServiceHttp, wanted: Mapping[str, str]) -> TeamRecord:
    operation = "make a team"
    response = control.request("POST", "/teams", operation=operation, accept={200, 201}, json=dict(wanted))
    return parse_answer(TeamRecord, response, operation)


class RawRequests:
    """Hand-made requests, also bad ones: the answer is returned whatever its status."""

    def __init__(self, http: ServiceHttp, claims: Claims) -> None:
        """Send by a client's connections and with its key."""
        self._http = http
        self._claims = claims

    def request(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Send a request.

        :param content: ``json``, ``content``, ``params`` and ``headers`` as httpx takes them; a header
            ``Authorization`` replaces the client's.
        :raises BackendUnreachable: no answer.
        """
        if _is_claim(method, path, content):
            return self._claims.post("", content.pop("json"), path=path, **content)
        if _is_bulk_claim(method, path, content):
            return self._claims.post_rows("", _bytes(content.pop("content")), **content)
        harmless = content.get("params") == _DRY_RUN
        return self._http.send(method, path, harmless=harmless, **content)


def _is_claim(method: str, path: str, content: Mapping[str, Any]) -> bool:
    """Tell whether a request may make a claim in the team's name."""
    return "json" in content and _is_ours(method, path, content)


def _is_bulk_claim(method: str, path: str, content: Mapping[str, Any]) -> bool:
    """Tell whether a request may make claims in the team's name by a body that was written by hand."""
    return bool(tokens_in(_bytes(content.get("content")))) and _is_ours(method, path, content)


def _is_ours(method: str, path: str, content: Mapping[str, Any]) -> bool:
    headers = {name.lower() for name in content.get("headers") or {}}
    at_the_door = method == "POST" and path in _CLAIM_PATHS
    return at_the_door and "params" not in content and "authorization" not in headers


def _bytes(content: object) -> bytes:
    if isinstance(content, str):
        return content.encode()
    return content if isinstance(content, bytes) else b""


class NrfCloudClient(BulkCalls, RuleCalls, FaultCalls):
    """One team's access to the service.

    :ivar backend: the service.
    :ivar owner_id: UUID of the team; empty where it is not known.
    :ivar raw: hand-made requests with the team's key.
    :ivar core: the core API, where onboarded devices live.
    """

    def __init__(
        self,
        backend: Backend,
        session: BackendSession,
        http: ServiceHttp,
        control: ServiceHttp | None,
        team: TeamRecord,
        name: str | None,
    ) -> None:
        """Use a team's key; see :func:`connect`.

        :param name: name by which a fake gives the key again.
        """
        session.register_secret(team.api_key, "nRF Cloud API key")
        self.backend = backend
        self.owner_id = team.owner_id
        self._session = session
        self._connections = http
        self._http = http.with_headers({"Authorization": f"Bearer {team.api_key}"})
        self._control = control
        self._name = name
        labels = {} if name is None else {"team": name}
        self._claims = Claims(self._http, session.accounts, team.api_key, labels)
        self._tags = self._definitions(Way(TAG, self._find_tag, self._remove_tag), labels)
        self._rules = self._definitions(Way(RULE, self._find_rule, self._remove_rule), labels)
        self._others: list[NrfCloudClient] = []
        self.raw = RawRequests(self._http, self._claims)
        self._core_connections = self._connect_core()
        core = self._core_connections.with_headers({"Authorization": f"Bearer {team.api_key}"})
        self.core = CoreClient(core, session.accounts, self._claims, labels)

    def _definitions(self, way: Way, labels: Mapping[str, str]) -> Definitions:
        return Definitions(way, self._session.accounts, self._claims, self._session.run_id, labels)

    def _connect_core(self) -> ServiceHttp:
        """Connect to the core where it has an address of its own."""
        address = self.backend.address("core")
        if address == self.backend.url:
            return self._connections
        return ServiceHttp(address, on_exchange=self._session.on_exchange, terms=self._connections.terms)

    @property
    def capabilities(self) -> frozenset[str]:
        """What may be asserted against the service."""
        return self.backend.capabilities

    # Claims ------------------------------------------------------------------------------------------

    def claim(self, token: str, tags: Sequence[str] = ()) -> ClaimedDevice:
        """Claim a device by its attestation token.

        :raises RequestRefused: the service does not want it.
        """
        operation = "ClaimDeviceOwnership"
        self._hide(token)
        body: dict[str, Any] = {"claimToken": token}
        if tags:
            body["tags"] = list(tags)
        if self.backend.mode == "real":
            self.dry_run(token)  # whose device it is, the service says without anything being made
        with self._appearing(tags):
            response = self._claims.post(operation, body)
        if response.status_code != _CREATED:
            raise self._http.refusal(operation, response)
        return ClaimedDevice(self, parse_answer(DeviceRecord, response, operation))

    def _hide(self, token: str) -> None:
        if len(token) >= SHORTEST_SECRET:  # a suite may offer what is no token at all
            self._session.register_secret(token, "attestation token")

    def dry_run(self, token: str) -> None:
        """Ask whether a device could be claimed.

        :raises RequestRefused: it could not.
        """
        self._hide(token)
        self._http.request(
            "POST",
            DEVICES,
            operation="ClaimDeviceOwnership (dry run)",
            accept={202},
            harmless=True,
            params=_DRY_RUN,
            json={"claimToken": token},
        )

    def devices(self) -> list[ClaimedDevice]:
        """Return every claimed device of the team, page by page.

        :raises BackendFault: the pages never end.
        """
        records = read_pages(self._http, DEVICES, "ListClaimedDevices", DevicePage)
        return [ClaimedDevice(self, record) for record in records]

    def device(self, device_id: str) -> ClaimedDevice:
        """Return a claimed device of the team.

        :raises RequestRefused: the team has no such device.
        """
        return ClaimedDevice(self, self.read_device(device_id))

    # What only a fake can do -------------------------------------------------------------------------

    def another_team(self, role: str = "owner") -> NrfCloudClient:
        """Return a client of a new team (capability ``teams``); it is undone and closed with this one.

        :param role: the role of its key.
        :raises UsageError: the service is no fake.
        """
        return self._member({"role": role}, "another team")

    def colleague(self, role: str) -> NrfCloudClient:
        """Return a client with another key of the same team (capability ``teams``).

        :param role: the role of that key.
        :raises UsageError: the service is no fake.
        """
        return self._member({"role": role, "owner_id": self.owner_id}, "a colleague")

    def _member(self, wanted: Mapping[str, str], what: str) -> NrfCloudClient:
        control = self._fake_control(what)
        name = f"{self._session.run_id}-{self._session.worker}-{secrets.token_hex(4)}"
        other = self._as_team(control, name, wanted)
        self._others.append(other)
        return other

    def _as_team(self, control: ServiceHttp, name: str, wanted: Mapping[str, str]) -> NrfCloudClient:
        team = _team(control, {"name": name, **wanted})
        return NrfCloudClient(self.backend, self._session, self._connections, control, team, name)

    def device_requests(self, device_id: str, last: int | None = None) -> list[DeviceRequest]:
        """Return what a device asked of the device endpoint, oldest first (capability ``device-log``).

        :param last: the latest requests only, so many of them.
        :raises UsageError: the service is no fake.
        """
        operation = "read the device log"
        control = self._fake_control("the device log")
        response = control.request(
            "GET",
            "/events",
            operation=operation,
            accept={200},
            params={"device": device_id} if last is None else {"device": device_id, "last": last},
        )
        return list(parse_answer(DeviceRequests, response, operation).items)

    def enrol(self, record: Mapping[str, Any]) -> None:
        """Register a board with the fake's factory registry; see :func:`enrol`."""
        enrol(self.backend, record)

    def _fake_control(self, what: str) -> ServiceHttp:
        return control_of_fake(self.backend, self._control, what)

    def refuse_foreign(self, change: Change) -> None:
        """Refuse a request that would change a device, tag or rule of the team that nobody made here.

        :raises UsageError: it would.
        """
        self.refuse_foreign_definition(change)
        device_id = changed_device(change)
        if device_id is None or self._claims.may_change(device_id):
            return
        if self._claims.claimed_at(device_id) is not None:
            raise not_ours(device_id, change)

    # The contract of every backend's client ----------------------------------------------------------

    def undo(self) -> None:
        """Take faults back, and undo what the running test claimed and onboarded, newest first.

        What is gone already is well gone.

        :raises BackendFault: something could not be undone; the rest was undone all the same.
        """
        faults: list[BackendFault] = []
        try:
            self.undo_orders()  # first: a fault could strike the calls that undo the rest
        except BackendFault as fault:
            faults.append(fault)
        for other in reversed(self._others):
            try:
                other.undo()
            except BackendFault as fault:
                faults.append(fault)
        faults += self._rules.undo()
        faults += self._claims.undo()
        faults += self._tags.undo()
        faults += self.core.accounts.undo()  # behind the claims: a claimed device may be onboarded yet
        self._others.clear()
        if faults:
            raise faults[0]

    def forget(self) -> None:
        """Leave what the running test claimed as it is; its faults end all the same."""
        self.undo_orders()
        for other in self._others:
            other.forget()
        self._others.clear()
        for made in (self._claims, self._tags, self._rules):
            made.forget()
        self.core.accounts.forget()

    def undo_entry(self, entry: Entry) -> str:
        """Undo what a dead worker or session claimed, if the ledger proves it to be that one.

        :return: what became of it.
        :raises UsageError: nobody knows how, or it was made with another key than ours.
        :raises BackendFault: the service does not do it, or cannot be asked.
        """
        undo = {
            CLAIM: self._claims.undo_entry,
            CORE_DEVICE: self.core.accounts.undo_entry,
            UPDATE_JOB: self.core.accounts.undo_entry,
            TAG: self._tags.undo_entry,
            RULE: self._rules.undo_entry,
        }
        if entry.kind not in undo:
            kinds = ", ".join(undo)
            raise UsageError("nobody here knows how to undo it", key="kind", value=entry.kind, expected=kinds)
        name = entry.details.get("team")
        if self._control is None or name in (None, self._name):
            return undo[entry.kind](entry)
        return self._as_team(self._control, str(name), {}).undo_entry(entry)

    def close(self) -> None:
        """Close all connections, also those of other teams made here."""
        self.core.close()
        self._core_connections.close()
        self._connections.close()
        if self._control is not None:
            self._control.close()
