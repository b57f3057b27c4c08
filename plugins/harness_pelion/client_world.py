"""What all users of one account share: connections, the control socket, what was made and ordered."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.backends.answers import parse_answer
from harness_pelion.client_door import CREATED, Closing
from harness_pelion.client_models import FakeAccount

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.backends.contract import Backend, BackendSession
    from harness.backends.http import ServiceHttp


@dataclass(slots=True, kw_only=True)
class Made:
    """Something that was made in the service, or may have been.

    :ivar kind: ``certificate`` or ``api-key``.
    :ivar number: of its entry in the ledger.
    :ivar id: its id at the service; empty when no answer came.
    :ivar deleted: whether the test deleted it; a certificate may have left devices.
    """

    kind: str
    name: str
    number: int
    id: str = ""
    deleted: bool = False


@dataclass(slots=True, kw_only=True)
class World:
    """What all users of one account share.

    :ivar http: connections to the service.
    :ivar control: a fake's control socket; ``None`` elsewhere.
    :ivar account_id: id of the account at a fake; empty elsewhere.
    :ivar labels: what each entry of the ledger says of whose it is.
    :ivar made: what the running test made, oldest first.
    :ivar proven: ids that are proved ours otherwise, while they are being changed.
    :ivar users: names of the users that it made.
    :ivar ordered: whether the running test ordered anything of a fake.
    :ivar clock_shifted: whether the account's clock is, or was, not the host's.
    :ivar guarded: whether what was not made here is left alone.
    """

    backend: Backend
    session: BackendSession
    http: ServiceHttp
    control: ServiceHttp | None = None
    account_id: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    closing: Closing = field(default_factory=Closing)
    made: list[Made] = field(default_factory=list)
    proven: set[str] = field(default_factory=set)
    users: list[str] = field(default_factory=list)
    ordered: bool = False
    clock_shifted: bool = False
    guarded: bool = True

    def close(self) -> None:
        """Close the connections to the service; the control socket's stays for others."""
        self.closing.close()
        self.http.close()

    @contextmanager
    def proving(self, identifier: str) -> Iterator[None]:
        """Let something be changed in the block, because whoever calls this has proved that it is ours."""
        self.proven.add(identifier)
        try:
            yield
        finally:
            self.proven.discard(identifier)

    def is_ours(self, identifier: str) -> bool:
        """Tell whether something was made here, or was proved ours by who changes it now."""
        return identifier in self.proven or any(made.id == identifier for made in self.made)


def fake_account(control: ServiceHttp, name: str) -> FakeAccount:
    """Make an account at a fake, or get it again."""
    operation = "make an account"
    response = control.request("POST", "/accounts", operation=operation, accept=CREATED, json={"name": name})
    return parse_answer(FakeAccount, response, operation)
