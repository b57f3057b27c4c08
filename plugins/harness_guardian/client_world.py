"""What all users of one organisation share: connections, tokens, the control socket, systems made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.backends.answers import parse_answer
from harness_guardian.client_door import Closing
from harness_guardian.client_faults import Ordered
from harness_guardian.client_models import OrganisationRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.backends.contract import Backend, BackendSession
    from harness.backends.http import ServiceHttp
    from harness_guardian.client_systems import Systems

APPLIANCE = "appliance"
"""The part of the service that is the appliance's door."""

ADMIN = "admin"
FAKE_USERS = {
    ADMIN: "anna",
    "other_admin": "bert",
    "reporter": "rita",
    "limited": "liam",
    "other_limited": "lena",
}
"""The users that each organisation of a fake has, by what they are to a suite."""

CREATED = frozenset({200, 201})


@dataclass(slots=True, kw_only=True)
class World:
    """What all users of one organisation share.

    :ivar cloud: connections to the service's main door.
    :ivar appliance: connections to the appliance's; ``None`` where there is none.
    :ivar control: a fake's control socket; ``None`` elsewhere.
    :ivar organisation: name of the organisation at a fake; empty elsewhere.
    :ivar tokens: by what their users are to a suite: ``admin``, ``other_admin``, ``reporter``...
    :ivar names: what those users are called, where that is known.
    :ivar labels: what each entry of the ledger says of whose it is.
    :ivar systems: what was made here; set with the first client.
    """

    backend: Backend
    session: BackendSession
    cloud: ServiceHttp
    appliance: ServiceHttp | None
    control: ServiceHttp | None
    organisation: str
    tokens: dict[str, str] = field(repr=False)
    names: dict[str, str]
    labels: Mapping[str, str]
    closing: Closing = field(default_factory=Closing)
    ordered: Ordered = field(default_factory=Ordered)
    systems: Systems | None = None

    def close(self) -> None:
        """Close the connections to the service; the control socket's stays for others."""
        self.closing.event.set()
        self.cloud.close()
        if self.appliance is not None:
            self.appliance.close()


def organisation(control: ServiceHttp, name: str) -> OrganisationRecord:
    """Make an organisation at a fake, or get it again."""
    operation = "make an organisation"
    response = control.request(
        "POST", "/organisations", operation=operation, accept=CREATED, json={"name": name}
    )
    return parse_answer(OrganisationRecord, response, operation)
