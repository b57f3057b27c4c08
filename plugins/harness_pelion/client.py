"""The typed client of Pelion Device Management: what suites call.

Calls and answers: pelion fact sheet, section 4.
"""

from __future__ import annotations

import re
import secrets
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from harness.backends.contract import Backend, BackendSession
from harness.backends.http import ServiceHttp
from harness.backends.orders import control_of_fake
from harness.errors import BackendFault, UsageError
from harness_pelion.client_access import fingerprint, read_api_key, terms_for
from harness_pelion.client_certificates import API_KEY, CERTIFICATE, CertificateCalls
from harness_pelion.client_devices import DeviceCalls
from harness_pelion.client_door import Door
from harness_pelion.client_faults import FaultCalls
from harness_pelion.client_world import World, fake_account

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from harness.backends.contract import Change
    from harness.backends.ledger import Entry

_CHANGEABLE = re.compile(r"/v3/(trusted-certificates|developer-certificates|api-keys|devices)/([^/?]+)")


def connect(backend: Backend, session: BackendSession) -> PelionClient:
    """Connect to a service: on a fake as an account of its own, else with the key of the environment.

    :raises UsageError: no key for a service that is no fake, or another variable that does not fit.
    :raises BackendFault: the fake's control socket refuses.
    """
    if backend.control is None:
        return _connect_elsewhere(backend, session, read_api_key(backend.url), guarded=True)
    # Exchanges with the control socket are no business of the report: the service never sees them.
    with ExitStack() as failing:
        control = failing.enter_context(ServiceHttp("http://fake", socket=backend.control))
        # The worker that replaces a dead one gets its account again, and with it what the dead one left.
        client = _connect_as(backend, session, control, f"{session.run_id}-{session.worker}")
        failing.callback(client.close)
        client.take_orders_back()  # a dead worker's faults would strike the one that replaces it
        failing.pop_all()
    return client


def connect_by_hand(url: str, key: str) -> PelionClient:
    """Connect for a person, who may change whatever the key lets: nothing is noted, nothing is undone.

    :param url: of the service.
    :raises UsageError: a variable of the environment does not fit.
    """
    backend = Backend(name="pelion", mode="url", url=url)
    return _connect_elsewhere(backend, BackendSession(run_id="by-hand", worker="main"), key, guarded=False)


def _connect_as(backend: Backend, session: BackendSession, control: ServiceHttp, name: str) -> PelionClient:
    account = fake_account(control, name)
    world = World(
        backend=backend,
        session=session,
        http=ServiceHttp(backend.url, on_exchange=session.on_exchange),
        control=control,
        account_id=account.id,
        labels={"account": name},
        guarded=False,  # everything in an account of our own is ours
    )
    return PelionClient(world, account.api_key)


def _connect_elsewhere(backend: Backend, session: BackendSession, key: str, *, guarded: bool) -> PelionClient:
    """Connect to a service that is not ours, and keep from touching there what is not ours either."""

    def before_change(change: Change) -> None:
        client.refuse_foreign(change)
        session.before_change(change)

    http = ServiceHttp(backend.url, on_exchange=session.on_exchange, terms=terms_for(before_change))
    labels = {"key": fingerprint(key)}
    client = PelionClient(
        World(backend=backend, session=session, http=http, labels=labels, guarded=guarded), key
    )
    return client


class RawRequests:
    """Hand-made requests, also bad ones: the answer is returned whatever its status."""

    def __init__(self, door: Door) -> None:
        """Send by a client's connections and with its key."""
        self._door = door

    def request(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Send a request.

        :param content: ``json``, ``content``, ``params`` and ``headers`` as httpx takes them; a header
            ``Authorization`` replaces the client's.
        :raises BackendUnreachable: no answer.
        """
        return self._door.send(method, path, **content)


class PelionClient(DeviceCalls, CertificateCalls, FaultCalls):
    """Access to an account with one key.

    :ivar world: what all users of the account share.
    :ivar backend: the service.
    :ivar session: whose client it is.
    :ivar door: every call goes through it.
    :ivar raw: hand-made requests with the same key.
    """

    def __init__(self, world: World, key: str | None) -> None:
        """Use a key; see :func:`connect`.

        :param key: ``None``: nobody says who asks.
        """
        if key:
            world.session.register_secret(key, "Pelion API key")
        self.world = world
        self.backend = world.backend
        self.session = world.session
        self.door = Door(world.http, key)
        self.raw = RawRequests(self.door)

    @property
    def capabilities(self) -> frozenset[str]:
        """What may be asserted against the service."""
        return self.backend.capabilities

    def own_name(self, text: str) -> str:
        """Return a name that nobody else gives: it has the run's id and a random part in it."""
        return f"{self.session.run_id}-{text}-{secrets.token_hex(4)}"

    def as_user(self, key: str | None) -> PelionClient:
        """Return the same account with another key; it is closed with this client.

        :param key: also a wrong one; ``None``: no key at all.
        """
        return PelionClient(self.world, key)

    def another_account(self) -> PelionClient:
        """Return another account of a fake (capability ``own-accounts``).

        Undo it and close its ``world`` yourself; the control socket is this client's, too, and stays open.

        :raises UsageError: the service is no fake.
        """
        control = self.fake_control("another account")
        name = f"{self.session.run_id}-{self.session.worker}-{secrets.token_hex(4)}"
        return _connect_as(self.backend, self.session, control, name)

    # What is not ours is never touched -------------------------------------------------------------------

    def refuse_foreign(self, change: Change) -> None:
        """Refuse a request that would change something that nobody made here.

        :raises UsageError: it would.
        """
        found = _CHANGEABLE.search(change.url)
        if self.world.guarded and found and not self.world.is_ours(found[2]):
            raise UsageError(
                f"{change.operation} would change what was not made here",
                key=found[1],
                value=found[2],
                expected="what a test made: what we did not make is never touched",
            )

    def fake_control(self, what: str) -> ServiceHttp:
        """Return the way to the fake's control socket.

        :param what: what is wanted of it, for the message.
        :raises UsageError: the service is no fake.
        """
        return control_of_fake(self.backend, self.world.control, what)

    # The contract of every backend's client --------------------------------------------------------------

    def undo(self) -> None:
        """Take orders back, and delete what the running test made, newest first.

        Devices that used its certificates go, too. What is gone already is well gone.

        :raises BackendFault: something could not be undone; the rest was undone all the same.
        """
        touched = bool(self.world.made)
        faults = self._try(self.undo_orders)  # first: a fault would strike what follows
        faults += self.undo_made()
        faults += self._try(self.remove_users)
        if self.world.control is not None and touched:
            faults += self._try(self.forget_devices)
        self.world.clock_shifted = False
        if faults:
            raise faults[0]

    @staticmethod
    def _try(undo: Callable[[], None]) -> list[BackendFault]:
        try:
            undo()
        except BackendFault as fault:
            return [fault]
        return []

    def forget(self) -> None:
        """Leave what the running test made as it is; its orders end all the same."""
        self.undo_orders()
        self.world.made.clear()
        self.world.users.clear()
        self.world.clock_shifted = False

    def undo_entry(self, entry: Entry) -> str:
        """Undo what a dead worker or session made.

        :return: what became of it.
        :raises UsageError: nobody knows how, or it was made with another key than ours.
        :raises BackendFault: the service does not do it, or cannot be asked.
        """
        if entry.kind not in {CERTIFICATE, API_KEY}:
            raise UsageError(
                "nobody here knows how to undo it",
                key="kind",
                value=entry.kind,
                expected=f"{CERTIFICATE} or {API_KEY}",
            )
        control, name = self.world.control, entry.details.get("account")
        if control is not None and name not in {None, self.world.labels.get("account")}:
            owner = _connect_as(self.backend, self.session, control, str(name))
            try:
                return owner.undo_entry(entry)
            finally:
                owner.world.close()
        if control is None and entry.details.get("key") != self.world.labels["key"]:
            raise UsageError(
                f"{entry.kind} {entry.subject} was made with another key",
                key="PELION_API_KEY",
                expected="the key that the session had",
            )
        identifier = entry.details.get("id", "")
        if not identifier and entry.session not in entry.subject:
            raise UsageError(
                "is no name that the session gave: left alone",
                key=entry.kind,
                value=entry.subject,
                expected=f"a name with {entry.session!r} in it",
            )
        return self.delete_quietly(entry.kind, identifier, entry.subject)

    def close(self) -> None:
        """Close all connections, also those of the other users; a wait that is under way ends."""
        self.world.close()
        if self.world.control is not None:
            self.world.control.close()
