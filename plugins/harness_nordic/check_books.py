"""What a check makes in a team: each thing is in the ledger before the service hears of it, and undone after.

Entries are written as the client writes its own, so that ``harness sweep`` undoes what a check could not.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from harness.backends.answers import parse_answer
from harness.backends.contract import UnkeptAccounts
from harness.errors import BackendFault, BackendUnreachable
from harness_nordic.client_claims import CLAIM, DEVICES
from harness_nordic.client_core_accounts import CORE_DEVICE, DONE, device_path
from harness_nordic.client_definition_models import RulePage, TagPage
from harness_nordic.client_pages import LARGEST_PAGE, MOST_PAGES
from harness_nordic.client_rules import RULE, RULES
from harness_nordic.client_tags import TAG, TAGS

if TYPE_CHECKING:
    import httpx

    from harness.backends.contract import Accounts

_REFUSED = range(400, 500)
_NOT_THERE = frozenset({403, 404, 410})
"""How a service may say that something is not there; that it is 404 is inferred (section 2.6)."""


class Ask(Protocol):
    """How a service is asked."""

    def __call__(
        self, method: str, path: str, *, part: str = "url", bearer: str | None = "", **content: Any
    ) -> httpx.Response:
        """Send a request.

        :param part: which of the service's hosts.
        :param bearer: what to show instead of the team's key; ``None``: nothing.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two services that are compared.

    :ivar ask: asks it with the team's key.
    :ivar viewer: key of a viewer of the team; empty: there is none.
    :ivar coap: address of the CoAP variant, without DTLS; empty: it is not known.
    :ivar accounts: where what is made is noted.
    :ivar whose: tells the team's key from others; part of each entry.
    """

    ask: Ask
    viewer: str = field(default="", repr=False)
    coap: str = ""
    accounts: Accounts = field(default_factory=UnkeptAccounts)
    whose: str = ""


@dataclass(slots=True, kw_only=True)
class Made:
    """Something that was made, or may have been.

    :ivar subject: the id of a device, or the name of a tag or rule.
    :ivar number: of its entry in the ledger.
    :ivar id: what the service calls a tag or rule; empty until it has told.
    """

    kind: str
    subject: str
    number: int
    id: str = ""


class Books:
    """What the check made in one team and has not undone."""

    def __init__(self, side: Side) -> None:
        """Have made nothing yet."""
        self._side = side
        self._all: list[Made] = []

    def intend(self, kind: str, subject: str, *, expected: bool = False) -> Made:
        """Note what is about to be made.

        :param expected: whether the device's own provisioning makes it, at whatever time.
        :raises RigFault: it cannot be noted; make nothing then.
        """
        details = {"state": "expected" if expected else "intended", "key": self._side.whose}
        if kind in {TAG, RULE}:
            details["own"] = "yes"  # nobody else would choose the name
        made = Made(kind=kind, subject=subject, number=self._side.accounts.note(kind, subject, **details))
        self._all.append(made)
        return made

    def answered(self, made: Made, response: httpx.Response) -> None:
        """Write down what the answer to the call says of it; an error of the service says nothing."""
        if response.status_code in _REFUSED:
            self._settle(made)
        elif response.is_success:
            known = _told(response, {CLAIM: "claimedAt", CORE_DEVICE: ""}.get(made.kind, "id"))
            made.id = known.get("id", "")
            self._side.accounts.amend(made.number, state="made", **known)

    def gone(self, kind: str, subject: str) -> None:
        """Strike out what was undone."""
        for made in [made for made in self._all if (made.kind, made.subject) == (kind, subject)]:
            self._settle(made)

    def undo(self) -> list[str]:
        """Undo what is still there, newest first.

        :return: what could not be undone; it stays in the ledger.
        """
        left = []
        silent = ""
        for made in reversed(self._all.copy()):
            try:
                reason = silent or self._undo(made)
            except BackendUnreachable as unreachable:
                reason = silent = str(unreachable)
            except BackendFault as fault:
                reason = str(fault)
            if reason:
                left.append(f"{made.kind} {made.subject}: {reason}")
            else:
                self._settle(made)
        return left

    def id_of(self, made: Made) -> str:
        """Return what the service calls a tag or rule; empty where it does not tell."""
        if not made.id:
            named = [each for each in self._listed(made.kind) if each[1] == made.subject]
            made.id = named[0][0] if named else ""
        return made.id

    def _settle(self, made: Made) -> None:
        self._side.accounts.settle(made.number)
        self._all.remove(made)

    def _undo(self, made: Made) -> str:
        """Undo something; return why it is still there, or nothing."""
        if made.kind in {TAG, RULE}:
            return self._undo_definition(made)
        if made.kind == CLAIM:
            part, path = "url", f"{DEVICES}/{made.subject}"
        else:
            part, path = "core", device_path(made.subject)
        answer = self._side.ask("DELETE", path, part=part)
        if answer.status_code in DONE:
            return ""
        if self._side.ask("GET", path, part=part).status_code in _NOT_THERE:
            return ""
        return f"the service answers {answer.status_code}"

    def _undo_definition(self, made: Made) -> str:
        identifier = self.id_of(made)
        if not identifier:
            return "the service does not tell its id" if self._nameless(made.kind) else ""
        path = f"{TAGS if made.kind == TAG else RULES}/{quote(identifier, safe='')}"
        answer = self._side.ask("DELETE", path)
        if answer.status_code in DONE:
            return ""
        listed = self._listed(made.kind)
        there = self._nameless(made.kind, listed) or any(each[0] == identifier for each in listed)
        return f"the service answers {answer.status_code}" if there else ""

    def _nameless(self, kind: str, listed: list[tuple[str, str]] | None = None) -> bool:
        """Tell whether the list is one in which nothing can be found."""
        return any(not name for _id, name in (self._listed(kind) if listed is None else listed))

    def _listed(self, kind: str) -> list[tuple[str, str]]:
        """Return ids and names of all tags or rules of the team.

        :raises BackendFault: the service does not list them.
        """
        found: list[tuple[str, str]] = []
        query = {"pageLimit": str(LARGEST_PAGE)}
        for _page in range(MOST_PAGES):
            response = self._side.ask("GET", TAGS if kind == TAG else RULES, params=query)
            if not response.is_success:
                raise BackendFault(f"the service does not list them: {response.status_code}")
            operation = f"list every {kind}"
            page: TagPage | RulePage = (
                parse_answer(TagPage, response, operation)
                if kind == TAG
                else parse_answer(RulePage, response, operation)
            )
            found += [(each.id, each.name) for each in page.items]
            if not page.next_token or query.get("pageNextToken") == page.next_token:
                break
            query["pageNextToken"] = page.next_token
        return found


def _told(response: httpx.Response, name: str) -> dict[str, str]:
    """Return a field of an answer, if it is there."""
    with suppress(ValueError):
        body = response.json()
        if isinstance(body, dict) and name in body:
            return {name: str(body[name])}
    return {}
