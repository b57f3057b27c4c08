"""The typed client of Guardian: what suites call.

Calls and answers: guardian fact sheet, section 10.5. All of it is our own design: Guardian's is not public.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from harness.backends.answers import parse_answer
from harness.backends.http import ServiceHttp
from harness.backends.orders import control_of_fake
from harness.errors import BackendFault, UsageError
from harness_guardian.client_access import appliance_url, fingerprint, read_tokens, terms_for
from harness_guardian.client_definitions import INFUSION_PUMP, SystemSettings
from harness_guardian.client_door import Door
from harness_guardian.client_faults import FaultCalls
from harness_guardian.client_models import SignerKeyRecord, SystemRecord
from harness_guardian.client_package import PackageKey, make_package_key
from harness_guardian.client_reports import ReportCalls
from harness_guardian.client_requests import RequestCalls
from harness_guardian.client_systems import SYSTEM, SystemHandle, Systems, random_part
from harness_guardian.client_users import UserCalls
from harness_guardian.client_world import ADMIN, APPLIANCE, CREATED, FAKE_USERS, World, organisation
from harness_guardian.enums import ApprovalType, ProvisionSource, SignerKeyState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from harness.backends.contract import Backend, BackendSession, Change
    from harness.backends.ledger import Entry
    from harness_guardian.client_definitions import ComponentDefinition


def connect(backend: Backend, session: BackendSession) -> GuardianClient:
    """Connect to a service: on a fake as an organisation of its own, else with the tokens of the environment.

    :raises UsageError: no token for a service that is no fake, or another variable that does not fit.
    :raises BackendFault: the fake's control socket refuses.
    """
    if backend.control is None:
        return _connect_elsewhere(backend, session)
    # Exchanges with the control socket are no business of the report: the service never sees them.
    with ExitStack() as failing:
        control = failing.enter_context(ServiceHttp("http://fake", socket=backend.control))
        # The worker that replaces a dead one gets its organisation again, and with it what the dead one left.
        client = _connect_as(backend, session, control, f"{session.run_id}-{session.worker}")
        failing.callback(client.close)
        client.take_orders_back()  # a dead worker's faults would strike the one that replaces it
        failing.pop_all()
    return client


def _connect_as(backend: Backend, session: BackendSession, control: ServiceHttp, name: str) -> GuardianClient:
    record = organisation(control, name)
    by_name = {user.name: user for user in record.users}
    tokens = {slot: by_name[user].token for slot, user in FAKE_USERS.items() if user in by_name}
    names = {slot: user for slot, user in FAKE_USERS.items() if user in by_name}
    if ADMIN not in tokens:
        raise BackendFault(f"the fake gave the organisation {name} no user {FAKE_USERS[ADMIN]}")
    cloud = ServiceHttp(backend.url, on_exchange=session.on_exchange)
    world = World(
        backend=backend,
        session=session,
        cloud=cloud,
        appliance=_appliance(backend.addresses.get(APPLIANCE), session, cloud),
        control=control,
        organisation=name,
        tokens=tokens,
        names=names,
        labels={"organisation": name},
    )
    return GuardianClient(world, f"Bearer {tokens[ADMIN]}", user=ADMIN)


def _connect_elsewhere(backend: Backend, session: BackendSession) -> GuardianClient:
    """Connect to a service that is not ours, and keep from touching there what is not ours either."""

    def before_change(change: Change) -> None:
        client.refuse_foreign(change)
        session.before_change(change)

    tokens = read_tokens(backend.url)
    terms = terms_for(before_change)
    cloud = ServiceHttp(backend.url, on_exchange=session.on_exchange, terms=terms)
    where = appliance_url() or backend.addresses.get(APPLIANCE)
    world = World(
        backend=backend,
        session=session,
        cloud=cloud,
        appliance=_appliance(where, session, cloud),
        control=None,
        organisation="",
        tokens=tokens,
        names={},
        labels={"key": fingerprint(tokens[ADMIN])},
    )
    client = GuardianClient(world, f"Bearer {tokens[ADMIN]}", user=ADMIN)
    return client


def _appliance(url: str | None, session: BackendSession, cloud: ServiceHttp) -> ServiceHttp | None:
    if url is None:
        return None
    return ServiceHttp(url, on_exchange=session.on_exchange, terms=cloud.terms)


class RawRequests:
    """Hand-made requests, also bad ones: the answer is returned whatever its status."""

    def __init__(self, door: Door) -> None:
        """Send by a client's connections and with its token."""
        self._door = door

    def request(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Send a request.

        :param path: below ``/api/v1``.
        :param content: ``json``, ``content``, ``files``, ``params`` and ``headers`` as httpx takes them; a
            header ``Authorization`` replaces the client's.
        :raises BackendUnreachable: no answer.
        """
        return self._door.send(method, path, **content)


class GuardianClient(UserCalls, RequestCalls, ReportCalls, FaultCalls):
    """One user's access to the service, at one of its doors.

    :ivar backend: the service.
    :ivar session: whose client it is.
    :ivar door: every call goes through it.
    :ivar raw: hand-made requests with the user's token.
    """

    def __init__(
        self, world: World, authorization: str | None, *, user: str, at_appliance: bool = False
    ) -> None:
        """Use a user's token; see :func:`connect`."""
        for token in world.tokens.values():
            world.session.register_secret(token, "Guardian token")
        self.world = world
        self.authorization = authorization
        self.at_appliance = at_appliance
        self.user = user
        self.backend = world.backend
        self.session = world.session
        self.closing = world.closing
        self.ordered = world.ordered
        self.door = Door(self._connections(), authorization)
        self.raw = RawRequests(self.door)
        if world.systems is None:
            world.systems = Systems(self, world.labels)
        self._systems = world.systems

    def _like(self, authorization: str | None, user: str, *, at_appliance: bool) -> GuardianClient:
        return GuardianClient(self.world, authorization, user=user, at_appliance=at_appliance)

    def _connections(self) -> ServiceHttp:
        if not self.at_appliance:
            return self.world.cloud
        if self.world.appliance is None:
            raise UsageError(
                "the service has no appliance",
                key="--backend",
                value=f"{self.backend.name}={self.backend.url}",
                expected=f"{self.backend.name}=fake",
            )
        return self.world.appliance

    @property
    def capabilities(self) -> frozenset[str]:
        """What may be asserted against the service."""
        return self.backend.capabilities

    @property
    def organisation(self) -> str:
        """The name of the organisation at the fake; empty elsewhere."""
        return self.world.organisation

    def own_name(self, text: str) -> str:
        """Return a name that nobody else gives: it has the run's id and a random part in it."""
        return f"{self.session.run_id}-{text}-{random_part()}"

    def another_organisation(self) -> GuardianClient:
        """Return the administrator of another organisation (capability ``roles``); close it yourself.

        What it makes is undone by its own ``undo``.

        :raises UsageError: the service is no fake.
        """
        control = self.fake_control("another organisation")
        name = f"{self.session.run_id}-{self.session.worker}-{random_part()}"
        return _connect_as(self.backend, self.session, control, name)

    # Systems ---------------------------------------------------------------------------------------------

    def create_system(
        self,
        *,
        approval: ApprovalType = ApprovalType.AUTOMATIC,
        source: ProvisionSource = ProvisionSource.CLOUD,
        components: Sequence[ComponentDefinition] | None = None,
        instances: Sequence[str] = ("Ward A",),
        keys: Sequence[PackageKey] | None = None,
        complete_on_install: bool = False,
        vault_timeout: float | None = None,
    ) -> SystemHandle:
        """Make a system; it is deleted with the test.

        :param components: an infusion pump with three certificates by default.
        :param keys: to register instead of the handle's own.
        :raises Refused: the service does not want it.
        """
        settings = SystemSettings(
            approval=approval,
            source=source,
            complete_on_install=complete_on_install,
            vault_timeout=vault_timeout,
        )
        chosen = (INFUSION_PUMP,) if components is None else components
        return self._systems.create(settings, chosen, instances, keys)

    @property
    def systems_made(self) -> tuple[SystemHandle, ...]:
        """The systems that the running test made, oldest first."""
        return self._systems.handles

    def system(self, name: str) -> SystemRecord:
        """Return a system as the service describes it.

        :raises Refused: there is none that this user may see.
        """
        operation = "GetSystem"
        response = self.door.request("GET", f"/systems/{name}", operation=operation, accept={200})
        return parse_answer(SystemRecord, response, operation)

    def delete_system(self, system: SystemHandle) -> None:
        """Delete a system that was made here."""
        self._systems.delete(system.name)

    def make_key(self) -> PackageKey:
        """Make a key for provisioning packages; its secret half is never written."""
        key = make_package_key()
        self.session.register_secret(key.private_key_pem, "package key")
        return key

    def register_signer_key(self, system: str, key: PackageKey, state: SignerKeyState) -> SignerKeyRecord:
        """Register the public half of a package's key, or change the state of one that is registered."""
        operation = "RegisterSignerKey"
        response = self.door.request(
            "POST",
            f"/systems/{system}/signer-keys",
            operation=operation,
            accept=CREATED,
            json={"kid": key.kid, "jwk": key.jwk, "state": state.value},
        )
        return parse_answer(SignerKeyRecord, response, operation)

    # What is not ours is never touched -------------------------------------------------------------------

    def refuse_foreign(self, change: Change) -> None:
        """Refuse a request that would change a system that nobody made here.

        :raises UsageError: it would.
        """
        _, found, rest = change.url.partition("/systems/")
        name = rest.partition("/")[0].partition("?")[0]
        if found and not self._systems.is_ours(name):
            raise _not_ours(name, change.operation)

    def _must_be_ours(self, request_id: str) -> None:
        if self.world.control is not None:
            return  # everything in an organisation of our own is ours
        row = self.request(request_id)
        if not self._systems.is_ours(row.system_name):
            raise _not_ours(row.system_name, f"an action on request {request_id}")

    def _must_all_be_ours(self, ids: Sequence[str], filter_: Mapping[str, Any] | None) -> None:
        if self.world.control is not None:
            return
        for request_id in ids:
            self._must_be_ours(request_id)
        if filter_ is not None and not self._systems.is_ours(str(filter_.get("system"))):
            raise _not_ours(str(filter_.get("system")), "an action on many requests")

    # What only a fake can do -----------------------------------------------------------------------------

    def fake_control(self, what: str) -> ServiceHttp:
        """Return the way to the fake's control socket.

        :param what: what is wanted of it, for the message.
        :raises UsageError: the service is no fake.
        """
        return control_of_fake(self.backend, self.world.control, what)

    # The contract of every backend's client --------------------------------------------------------------

    def undo(self) -> None:
        """Take orders back, and delete what the running test made, newest first.

        What is gone already is well gone.

        :raises BackendFault: something could not be undone; the rest was undone all the same.
        """
        faults: list[BackendFault] = []
        try:
            self.undo_orders()  # first: what is held would never come to its end
        except BackendFault as fault:
            faults.append(fault)
        faults += self._systems.undo()
        self.ordered.clock_shifted = False
        if faults:
            raise faults[0]

    def forget(self) -> None:
        """Leave what the running test made as it is; its orders end all the same."""
        self.undo_orders()
        self._systems.forget()
        self.ordered.clock_shifted = False

    def undo_entry(self, entry: Entry) -> str:
        """Undo what a dead worker or session made.

        :return: what became of it.
        :raises UsageError: nobody knows how, or it was made with another token than ours.
        :raises BackendFault: the service does not do it, or cannot be asked.
        """
        if entry.kind != SYSTEM:
            raise UsageError(
                "nobody here knows how to undo it", key="kind", value=entry.kind, expected=SYSTEM
            )
        control, name = self.world.control, entry.details.get("organisation")
        if control is not None:
            if name in (None, self.organisation):
                return self._systems.undo_entry(entry)
            owner = _connect_as(self.backend, self.session, control, str(name))
            try:
                return owner.undo_entry(entry)
            finally:
                owner.world.close()
        if entry.details.get("key") != self.world.labels["key"]:
            raise UsageError(
                f"the system {entry.subject} was made with another token",
                key="GUARDIAN_TOKEN",
                expected="the token that the session had",
            )
        return self._systems.undo_entry(entry)

    def close(self) -> None:
        """Close all connections, also those of the other users; a wait that is under way ends."""
        self.world.close()
        if self.world.control is not None:
            self.world.control.close()


def _not_ours(system: str, operation: str) -> UsageError:
    """Return the error for a request about a system that nobody made here."""
    return UsageError(
        f"{operation} would change a system that this session did not make",
        key="system",
        value=system,
        expected="a system that a test made: what we did not make is never touched",
    )
