"""The contract between the core and a vendor's provisioning service.

A vendor gives a :class:`BackendSpec` by ``harness_backends``. The core then offers ``--backend NAME=fake``
or ``--backend NAME=URL`` and a fixture called NAME whose value is what the spec's client factory returns.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


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
    :ivar serve_options: options that ``harness backend serve`` gives the fake besides the operator's own, so
        that it can be used by hand.
    """

    name: str
    title: str
    client: str
    fake: str | None = None
    capabilities: frozenset[str] = frozenset()
    real_capabilities: frozenset[str] = frozenset()
    serve_options: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A service that runs and can be addressed; plain data, handed to every worker.

    :ivar name: name of its specification.
    :ivar mode: ``fake`` (started by the session), ``url`` or ``real``.
    :ivar url: base URL, without a trailing slash. A fake serves everything below it.
    :ivar control: path of the fake's control socket (HTTP over a UNIX socket); ``None`` otherwise.
    :ivar pid: process id of the fake; ``None`` otherwise.
    :ivar capabilities: what may be asserted against it.
    """

    name: str
    mode: str
    url: str
    control: str | None = None
    pid: int | None = None
    capabilities: frozenset[str] = frozenset()

    def to_json(self) -> dict[str, Any]:
        """Return plain data from which :meth:`from_json` makes an equal backend."""
        return {**asdict(self), "capabilities": sorted(self.capabilities)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Backend:
        """Make the backend that :meth:`to_json` described."""
        return cls(**{**data, "capabilities": frozenset(data["capabilities"])})


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


@dataclass(slots=True, kw_only=True)
class BackendSession:
    """What a worker gives the client factory.

    :ivar run_id: id of the whole run; part of every name made in the service.
    :ivar worker: id of the worker (``main`` without xdist); on a fake each worker has its own team.
    :ivar on_exchange: called after every HTTP exchange; the report takes it from there.
    :ivar register_secret: called with every secret where it enters, and a label for it.
    """

    run_id: str
    worker: str
    on_exchange: Callable[[Exchange], None] = field(default=lambda _exchange: None)
    register_secret: Callable[[str, str], None] = field(default=lambda _value, _label: None)


class BackendClient(Protocol):
    """What every vendor's client can do besides its own calls."""

    def undo(self) -> None:
        """Undo what the running test made in the service, newest first; idempotent."""

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


class FakeService(Protocol):
    """A fake: two ASGI applications, one for the world and one for the session that ordered it.

    A fake may also have ``notes``, a mapping of texts that an operator who started it by hand must know,
    for example an API key that it made up. They are printed once and never logged.
    """

    @property
    def service(self) -> Any:
        """What the real service would be, served on a TCP port."""

    @property
    def control(self) -> Any:
        """What only the session may use (teams, factory records, faults), served on a UNIX socket."""
