"""The contract between the core and a vendor's provisioning service.

A vendor gives a :class:`BackendSpec` by ``harness_backends``. The core then offers ``--backend NAME=fake``
or ``--backend NAME=URL`` and a fixture called NAME whose value is what the spec's client factory returns.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping, Sequence

    from harness.backends.ledger import Entry
    from harness.plugins import HarnessPluginManager


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendSpec:
    """A provisioning service that a plugin knows to talk to.

    :ivar name: short name: option value and fixture name, for example ``nrfcloud``.
    :ivar title: the service's own name, for headers and reports.
    :ivar client: ``module:function`` called with a :class:`Backend` and a :class:`BackendSession`;
        returns a :class:`BackendClient`.
    :ivar fake: ``module:function`` called with a :class:`FakeSettings`; returns a :class:`FakeService`.
    :ivar capabilities: what the fake can do; a suite asks for them by ``@pytest.mark.backend(needs=...)``.
    :ivar real_capabilities: what may be asserted against the real service.
    :ivar real: where the real service is: addresses of its parts by their names, ``url`` among them, for each
        of its stages; the stage for everybody is called ``prod``.
    :ivar access: ``module:function`` called with a :class:`Backend` that is no fake before a session opens
        anything; it asks nobody, and raises :class:`~harness.errors.UsageError` when it sees that the service
        cannot be used from here, for example without a key.
    :ivar check: ``module:function`` that compares a service with the fake; see
        :class:`~harness.backends.checking.CheckRequest`.
    :ivar serve_options: options that ``harness backend serve`` gives the fake besides the operator's own, so
        that it can be used by hand.
    """

    name: str
    title: str
    client: str
    fake: str | None = None
    capabilities: frozenset[str] = frozenset()
    real_capabilities: frozenset[str] = frozenset()
    real: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)
    access: str | None = None
    check: str | None = None
    serve_options: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A service that runs and can be addressed; plain data, handed to every worker.

    :ivar name: name of its specification.
    :ivar mode: ``fake`` (started by the session), ``url`` or ``real``.
    :ivar url: base URL, without a trailing slash. A fake serves everything below it.
    :ivar secure_url: base URL over TLS of a fake that has one; ``None`` otherwise.
    :ivar control: path of the fake's control socket (HTTP over a UNIX socket); ``None`` otherwise.
    :ivar pid: process id of the fake; ``None`` otherwise.
    :ivar capabilities: what may be asserted against it.
    :ivar addresses: base URLs of those of its parts that are not below ``url``, by their names; see
        :meth:`address`.
    :ivar remarks: what whoever reads a report of its runs must know.
    """

    name: str
    mode: str
    url: str
    secure_url: str | None = None
    control: str | None = None
    pid: int | None = None
    capabilities: frozenset[str] = frozenset()
    addresses: Mapping[str, str] = field(default_factory=dict, hash=False)
    remarks: tuple[str, ...] = ()

    def address(self, part: str) -> str:
        """Return the base URL of a part of the service, which is :attr:`url` unless it has one of its own.

        :param part: as the vendor's client calls it, for example ``core``.
        """
        return self.addresses.get(part, self.url)

    def to_json(self) -> dict[str, Any]:
        """Return plain data from which :meth:`from_json` makes an equal backend."""
        return {**asdict(self), "capabilities": sorted(self.capabilities)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Backend:
        """Make the backend that :meth:`to_json` described."""
        sets = {"capabilities": frozenset(data["capabilities"]), "remarks": tuple(data["remarks"])}
        return cls(**{**data, **sets})


def bare_address(url: str) -> str:
    """Return an address without the name and password that may be in it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else url


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One HTTP exchange, for the report. Bodies and headers are redacted before they are shown.

    :ivar seconds: from the start of the request to the end of the answer.
    :ivar status: HTTP status; ``None`` when no answer came.
    :ivar problem: why no answer came; ``None`` otherwise.
    :ivar ended: when the exchange ended, in seconds since the epoch.
    """

    operation: str
    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: bytes
    status: int | None
    response_headers: Mapping[str, str]
    response_body: bytes
    seconds: float
    problem: str | None = None
    ended: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A request that is about to change something in a service.

    :ivar operation: the service's own name of the call.
    """

    operation: str
    method: str
    url: str


class Accounts(Protocol):
    """Where a client or a driver notes what it is about to make or change; part of the ledger.

    Bound to the session, the worker and the service or board. Nothing secret may be noted.
    """

    def note(self, kind: str, subject: str, **details: str) -> int:
        """Note what is about to be made, before the call that makes it; on the disk when this returns.

        :param kind: what it is, for example ``claim``.
        :param subject: which, for example the id of a device.
        :param details: what is needed to undo it; no secrets.
        :return: number of the entry.
        :raises RigFault: it cannot be written; make nothing then.
        """

    def note_all(self, kind: str, subjects: Sequence[str], **details: str) -> list[int]:
        """Note what one call is about to make of several; all is on the disk when this returns, or nothing.

        :param subjects: which; otherwise see :meth:`note`.
        :return: numbers of the entries, in the order of the subjects.
        :raises RigFault: it cannot be written; make nothing then.
        """

    def amend(self, number: int, **details: str) -> None:
        """Add to the details of an entry, for example what the service answered."""

    def settle(self, number: int) -> None:
        """Strike out an entry: what it names is undone, or was never made; idempotent."""

    def settle_all(self, numbers: Sequence[int]) -> None:
        """Strike out several entries at once."""


class UnkeptAccounts:
    """Accounts that nobody keeps: of a client or a board that is used by hand, outside of any session."""

    def __init__(self) -> None:
        """Begin to count."""
        self._numbers = count(1)

    def note(self, kind: str, subject: str, **details: str) -> int:  # noqa: ARG002 - the contract's own
        """Number what is about to be made."""
        return next(self._numbers)

    def note_all(self, kind: str, subjects: Sequence[str], **details: str) -> list[int]:
        """Number what is about to be made."""
        return [self.note(kind, subject, **details) for subject in subjects]

    def amend(self, number: int, **details: str) -> None:
        """Nobody asks for details later."""

    def settle(self, number: int) -> None:
        """Nobody asks what is left."""

    def settle_all(self, numbers: Sequence[int]) -> None:
        """Nobody asks what is left."""


@dataclass(slots=True, kw_only=True)
class BackendSession:
    """What a worker gives the client factory.

    :ivar run_id: id of the whole run; part of every name made in the service.
    :ivar worker: id of the worker (``main`` without xdist); on a fake each worker has its own team.
    :ivar on_exchange: called after every HTTP exchange; the report takes it from there.
    :ivar register_secret: called with every secret where it enters, and a label for it.
    :ivar accounts: where the client notes what it is about to make.
    :ivar before_change: the client calls it before every request that changes something in the service; what
        it raises keeps the request from being sent.
    """

    run_id: str
    worker: str
    on_exchange: Callable[[Exchange], None] = field(default=lambda _exchange: None)
    register_secret: Callable[[str, str], None] = field(default=lambda _value, _label: None)
    accounts: Accounts = field(default_factory=UnkeptAccounts)
    before_change: Callable[[Change], None] = field(default=lambda _change: None)


class BackendClient(Protocol):
    """What every vendor's client can do besides its own calls."""

    def undo(self) -> None:
        """Undo what the running test made in the service, newest first; idempotent."""

    def undo_entry(self, entry: Entry) -> str:
        """Undo what a dead worker or session left, if it is still there and still what the entry names.

        :param entry: an entry that a client of this service noted. The caller settles it afterwards.
        :return: in a few words what became of it: undone, gone already, or somebody else's by now.
        :raises HarnessError: it cannot be undone now; the entry stays in the ledger, with this reason.
        """

    def forget(self) -> None:
        """Leave what the running test made as it is (``--keep`` after a failure)."""

    def close(self) -> None:
        """Close connections; the client is of no use afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeSettings:
    """What the runner tells a fake when it starts.

    :ivar options: options of the fake's own (``harness backend serve NAME --option key=value``).
    """

    options: Mapping[str, str] = field(default_factory=dict)


class SecureDoor(Protocol):
    """How a fake is served over TLS.

    :ivar context: the server's side, an :class:`ssl.SSLContext` with certificate and key.
    :ivar url: set by the runner as soon as somebody listens there.
    """

    context: Any
    url: str


class DatagramDoor(Protocol):
    """How a part of a fake is served over UDP.

    :ivar part: name of the part in :attr:`Backend.addresses`.
    :ivar scheme: of its address, for example ``coap``.
    :ivar url: set by the runner as soon as somebody listens there.
    :ivar remark: what whoever uses it must know, in a few words.
    """

    part: str
    scheme: str
    url: str
    remark: str

    def protocol(self) -> Any:
        """Return an :class:`asyncio.DatagramProtocol` for a socket that the runner opens and closes."""


class PartDoor(Protocol):
    """How a part of a fake is served that has an address of its own.

    :ivar application: an ASGI application.
    :ivar url: set by the runner as soon as somebody listens there, before anything is asked of the fake.
    """

    application: Any
    url: str


class StreamDoor(Protocol):
    """How a part of a fake is served over TCP by a protocol of its own, for example CoAP over TLS.

    :ivar scheme: of its address, for example ``coaps+tcp``.
    :ivar url: set by the runner as soon as somebody listens there, before anything is asked of the fake.
    """

    scheme: str
    url: str

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection until this returns; the runner closes it then.

        The connection is plain TCP: a door that speaks TLS begins with ``await writer.start_tls(context)``.
        When the fake ends it is cancelled. An exception ends this connection, and is logged; that the other
        end went away (:class:`ConnectionError`, :class:`asyncio.IncompleteReadError`) is nothing to log.
        """


class FakeService(Protocol):
    """A fake: two ASGI applications, one for the world and one for the session that ordered it.

    A fake may also have ``notes``, a mapping of texts that an operator who started it by hand must know,
    for example an API key that it made up. They are printed once and never logged. And it may have ``tls``, a
    :class:`SecureDoor`: its service is then served over TLS too, on a port of its own. And it may have
    ``datagrams``, a :class:`DatagramDoor`: a part of it is then served over UDP, on a port of its own. And it
    may have ``parts``, a mapping of names to :class:`PartDoor`: each is served by HTTP on a port of its own,
    whose address is :attr:`Backend.addresses` of that name. And it may have ``streams``, a mapping of names
    to :class:`StreamDoor`, each served on a TCP port of its own, whose address is there too. And it may have
    a method ``close``, which is called at the end, on the loop that has served it.

    Every ASGI scope of a fake's applications has the extension ``harness.hang_up``: called without arguments
    it closes the connection, so that a request gets no answer.
    """

    @property
    def service(self) -> Any:
        """What the real service would be, served on a TCP port."""

    @property
    def control(self) -> Any:
        """What only the session may use (teams, factory records, faults), served on a UNIX socket."""


def known_backends(plugins: HarnessPluginManager) -> dict[str, BackendSpec]:
    """Return every plugin's services by name, sorted.

    :param plugins: the loaded plugins.
    """
    specs = {spec.name: spec for specs in plugins.hook.harness_backends() for spec in specs}
    return dict(sorted(specs.items()))
