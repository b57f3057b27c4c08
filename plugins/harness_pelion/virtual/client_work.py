"""What the client does on its thread: bootstrap when it must, register, keep the registration up.

Source: pelion fact sheet, sections 2.1, 6.1 and 6.2.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from harness_pelion.enums import Item
from harness_pelion.virtual import bootstrap, coap, device_objects
from harness_pelion.virtual.bootstrap import Bootstrap
from harness_pelion.virtual.client_log import ClientFailure, ErrorName
from harness_pelion.virtual.client_session import Woken
from harness_pelion.virtual.coap_link import CoapLink
from harness_pelion.virtual.kcm import BOOTSTRAPPED_ENDPOINT, ENROLMENT
from harness_pelion.virtual.registration import Registration, said
from harness_pelion.virtual.server_uri import ServerUri, read_uri
from harness_pelion.virtual.tls_link import Identity, TlsLink, read_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from harness_pelion.virtual.client_session import KeyStore, Session
    from harness_pelion.virtual.coap import Message

_NEEDED_TO_BOOTSTRAP = (
    Item.BOOTSTRAP_SERVER_URI,
    Item.BOOTSTRAP_DEVICE_CERT,
    Item.BOOTSTRAP_DEVICE_PRIVATE_KEY,
    Item.BOOTSTRAP_SERVER_CA_CERT,
)
_NEEDED_TO_REGISTER = (
    Item.LWM2M_SERVER_URI,
    Item.LWM2M_DEVICE_CERT,
    Item.LWM2M_DEVICE_PRIVATE_KEY,
    Item.LWM2M_SERVER_CA_CERT,
    Item.INTERNAL_ENDPOINT,
)
#: What the client throws away when the LwM2M server refuses it (client source); the name that the service
#: knows the device by stays.
_THROWN_AWAY = _NEEDED_TO_REGISTER[:-1]
_ITEMS = (
    Item.USE_BOOTSTRAP,
    Item.ENDPOINT_NAME,
    *_NEEDED_TO_BOOTSTRAP,
    *_NEEDED_TO_REGISTER,
    BOOTSTRAPPED_ENDPOINT,
    *device_objects.ITEMS,
)
#: After these at the LwM2M server the client bootstraps again (client source).
_BOOTSTRAP_AGAIN = frozenset(
    {
        ErrorName.ConnectSecureConnectionFailed,
        ErrorName.ConnectInvalidParameters,
        ErrorName.ConnectorInvalidCredentials,
    }
)
#: A bootstrap that takes longer than so many answers is none.
_PATIENCES = 6


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the store holds.

    :ivar now: what the board's clock says.
    """

    items: Mapping[str, bytes | None] = field(repr=False)
    now: datetime

    def needed(self, *names: str) -> tuple[bytes, ...]:
        """Return items.

        :raises ClientFailure: one is missing or empty.
        """
        missing = [name for name in names if not self.items.get(name)]
        if missing:
            raise ClientFailure(
                ErrorName.ConnectorFailedToReadCredentials,
                f"Failed to read credentials from storage: {', '.join(missing)}",
                hopeless=True,
            )
        return tuple(self.items[name] or b"" for name in names)

    @property
    def endpoint_name(self) -> str:
        """Return the endpoint name.

        :raises ClientFailure: there is none.
        """
        return self.needed(Item.ENDPOINT_NAME)[0].decode(errors="replace")

    @property
    def device_id(self) -> str:
        """Return the name that the service gave the device, empty before a bootstrap."""
        return (self.items.get(Item.INTERNAL_ENDPOINT) or b"").decode(errors="replace")

    @property
    def account_id(self) -> str | None:
        """Return the account that the bootstrap server's URI names."""
        content = self.items.get(Item.BOOTSTRAP_SERVER_URI)
        try:
            return read_uri(content).account_id if content else None
        except ClientFailure:
            return None

    @property
    def uses_bootstrap(self) -> bool:
        """Whether the device gets its LwM2M credentials by a bootstrap.

        :raises ClientFailure: nobody said it.
        """
        return any(self.needed(Item.USE_BOOTSTRAP)[0])

    @property
    def is_bootstrapped(self) -> bool:
        """Whether the LwM2M credentials are all there, and were got as who the device is now."""
        complete = all(self.items.get(name) for name in _NEEDED_TO_REGISTER)
        return complete and (not self.uses_bootstrap or self.was_same_endpoint)

    @property
    def was_same_endpoint(self) -> bool:
        """Whether the last bootstrap was made with the endpoint name of today."""
        return self.items.get(BOOTSTRAPPED_ENDPOINT) == self.items.get(Item.ENDPOINT_NAME)


class Progress(Protocol):
    """Who is told how far the client is, on the loop's thread."""

    def bootstrapping(self) -> None:
        """It begins to bootstrap."""

    def bootstrapped(self) -> None:
        """The results are stored."""

    def registering(self) -> None:
        """It begins to register."""

    def registered(self, endpoint_name: str, device_id: str) -> None:
        """It is registered."""

    def updated(self) -> None:
        """The registration was updated."""

    def failed(self, failure: ClientFailure) -> None:
        """Something went wrong; it goes on by itself if it can."""

    def deregistered(self) -> None:
        """It is not registered any more, as it was asked to."""


class Work:
    """The work of one run."""

    def __init__(
        self, session: Session, store: KeyStore, now: Callable[[], datetime], progress: Progress
    ) -> None:
        """Do nothing yet.

        :param store: used on the loop's thread.
        :param now: the board's clock; read on the loop's thread.
        """
        self._session = session
        self._store = store
        self._now = now
        self._progress = progress

    def attempt(self) -> None:
        """Bootstrap if that is to be done, register, and stay registered until asked to deregister.

        :raises ClientFailure: something went wrong.
        :raises Abandoned: the run was ended.
        """
        holdings = self._holdings()
        if not holdings.is_bootstrapped:
            self._bootstrap(holdings)
            holdings = self._holdings()
        self._tell(self._progress.registering)
        try:
            link, registration = self._register(holdings)
        except ClientFailure as failure:
            if failure.name in _BOOTSTRAP_AGAIN and holdings.uses_bootstrap:
                self._session.commit(self._store, dict.fromkeys(_THROWN_AWAY))
                failure.hopeless, failure.healed = False, True
            raise
        try:
            self._stay(link, registration, holdings)
        except BaseException as error:
            link.close(politely=isinstance(error, ClientFailure))
            raise
        link.close(politely=True)

    def _holdings(self) -> Holdings:
        return self._session.calls.call(
            lambda: Holdings({name: self._store.get(name) for name in _ITEMS}, self._now())
        )

    def _tell(self, what: Callable[[], None]) -> None:
        self._session.calls.call(what)

    # -- bootstrap ----------------------------------------------------------------------------------------

    def _bootstrap(self, holdings: Holdings) -> None:
        self._tell(self._progress.bootstrapping)
        endpoint_name = holdings.endpoint_name
        if not holdings.uses_bootstrap:
            holdings.needed(*_NEEDED_TO_REGISTER)  # says which one is missing
        uri, certificate, key, authority = holdings.needed(*_NEEDED_TO_BOOTSTRAP)
        server, identity = read_uri(uri), read_identity(certificate, key, authority)
        if not holdings.was_same_endpoint and any(holdings.items.get(name) for name in ENROLMENT):
            self._session.commit(self._store, dict.fromkeys(ENROLMENT))
            holdings = self._holdings()
        results = Bootstrap(endpoint_name, self._keep_results)
        link = self._connect("bootstrap", server, identity, holdings, results.answer)
        try:
            self._ask_for_bootstrap(link, endpoint_name, server, holdings)
            self._be_bootstrapped(link, results)
        except BaseException as error:
            link.close(politely=isinstance(error, ClientFailure))
            raise
        link.close(politely=True)
        self._tell(self._progress.bootstrapped)

    def _ask_for_bootstrap(
        self, link: CoapLink, endpoint_name: str, server: ServerUri, holdings: Holdings
    ) -> None:
        query = bootstrap.query(endpoint_name, server.account_id, holdings.device_id or None)
        answer = link.request(coap.POST, "/bs", query=query)
        if not answer.succeeded:
            raise ClientFailure(
                ErrorName.ConnectBootstrapFailed, f"the bootstrap server refused: {said(answer)}"
            )

    def _be_bootstrapped(self, link: CoapLink, results: Bootstrap) -> None:
        """Let the server write until it has finished."""
        patience = self._session.settings.client_timeout_s
        last = time.monotonic() + _PATIENCES * patience
        deadline = min(last, time.monotonic() + patience)
        while not results.ended:
            try:
                woken = link.serve(deadline)
            except ClientFailure as failure:
                if link.refused is None:
                    raise
                raise ClientFailure(
                    ErrorName.ConnectBootstrapFailed, f"the device did not understand: {link.refused}"
                ) from failure
            if woken is Woken.TIME_OUT:
                raise ClientFailure(ErrorName.ConnectTimeout, "the bootstrap server did not finish in time")
            if woken is Woken.READY:
                deadline = min(last, time.monotonic() + patience)
        if results.failure is not None:
            raise results.failure

    def _keep_results(self, items: Mapping[str, bytes]) -> None:
        self._session.commit(self._store, items)

    # -- registration -------------------------------------------------------------------------------------

    def _register(self, holdings: Holdings) -> tuple[CoapLink, Registration]:
        uri, certificate, key, authority = holdings.needed(*_NEEDED_TO_REGISTER[:-1])
        server, identity = read_uri(uri), read_identity(certificate, key, authority)
        link = self._connect("lwm2m", server, identity, holdings, self._serve)
        registration = Registration(link, holdings.endpoint_name, server.account_id or holdings.account_id)
        try:
            registration.register(self._session.settings.lifetime_s)
        except BaseException as error:
            link.close(politely=isinstance(error, ClientFailure))
            raise
        return link, registration

    def _stay(self, link: CoapLink, registration: Registration, holdings: Holdings) -> None:
        """Keep the registration up until the run is asked to give it up."""
        endpoint_name = holdings.endpoint_name
        self._tell(lambda: self._progress.registered(endpoint_name, holdings.device_id))
        updated = time.monotonic()
        while not self._session.leaving:
            woken = link.serve(updated + self._session.settings.register_every_s)
            if woken is not Woken.TIME_OUT and not self._session.take_update():
                continue  # a message was answered, or something was changed
            if self._update(registration):
                self._tell(self._progress.updated)
            else:
                self._tell(self._progress.registering)
                registration.register(self._session.settings.lifetime_s)
                self._tell(lambda: self._progress.registered(endpoint_name, holdings.device_id))
            updated = time.monotonic()
        registration.deregister()
        self._tell(self._progress.deregistered)

    def _update(self, registration: Registration) -> bool:
        """Update the registration; return whether the server still knew it."""
        try:
            registration.update()
        except ClientFailure as failure:
            if failure.name is not ErrorName.ConnectNotRegistered:
                raise
            told = failure
            self._tell(lambda: self._progress.failed(told))
            return False
        return True

    def _serve(self, message: Message) -> Message:
        return device_objects.answer(message, self._holdings().items)

    # -- both ---------------------------------------------------------------------------------------------

    def _connect(
        self,
        name: str,
        server: ServerUri,
        identity: Identity,
        holdings: Holdings,
        serve: Callable[[Message], Message],
    ) -> CoapLink:
        link: TlsLink | None = None
        try:
            with self._session.exchange(f"TLS {name}"):
                link = TlsLink(self._session, server, identity, holdings.now)
        except BaseException:
            if link is not None:  # the power went after the handshake
                link.close(politely=False)
            raise
        return CoapLink(link, self._session, serve)
