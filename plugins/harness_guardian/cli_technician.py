"""A user of the service who is no part of any test: what the technician's commands ask by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.backends.http import ServiceHttp
from harness_guardian.client_access import terms_for
from harness_guardian.client_door import Closing, Door
from harness_guardian.client_reports import ReportCalls
from harness_guardian.client_requests import RequestCalls
from harness_guardian.enums import Action

if TYPE_CHECKING:
    from harness_guardian.client_models import RequestRow


class Technician(RequestCalls, ReportCalls):
    """One user at one door of the service."""

    def __init__(self, url: str, token: str) -> None:
        """Connect to nothing yet.

        :param url: address of the service, cloud or appliance.
        :param token: the user's.
        """
        self._http = ServiceHttp(url, terms=terms_for(lambda _change: None))
        self.closing = Closing()
        self.door = Door(self._http, f"Bearer {token}")

    def act(self, action: Action, request_id: str) -> RequestRow:
        """Approve, reject or provision.

        :raises Refused: the service does not do it.
        """
        acts = {Action.APPROVE: self.approve, Action.REJECT: self.reject, Action.PROVISION: self.provision}
        return acts[action](request_id)

    def close(self) -> None:
        """Close the connections; a wait that is under way ends."""
        self.closing.event.set()
        self._http.close()
