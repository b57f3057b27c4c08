"""``harness backend check nrfcloud=...``: how a service differs from our fake of nRF Cloud."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.backends.answers import parse_answer
from harness.backends.checking import CheckResult, Difference
from harness.backends.credentials import read_secret_file
from harness.backends.http import ServiceHttp
from harness.errors import UsageError
from harness_nordic.check_books import Side
from harness_nordic.check_device import CheckDevice
from harness_nordic.check_device_probes import (
    ask_about_claims,
    ask_about_commands,
    ask_about_rules,
    ask_by_coap,
)
from harness_nordic.check_interview import Interview
from harness_nordic.check_probes import ask_as_viewer, ask_harmlessly, ask_in_own_team
from harness_nordic.client import enrol
from harness_nordic.client_access import (
    API_KEY,
    API_KEY_VARIABLE,
    WRONG_KEY,
    read_api_key,
    terms_for,
)
from harness_nordic.client_claims import DEVICES, fingerprint
from harness_nordic.client_core_models import AccountRecord

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    import httpx

    from harness.backends.checking import CheckRequest
    from harness.backends.contract import Backend
    from harness_nordic.check_books import Ask

HARMLESS, VIEWER, TEAM = "harmless", "viewer", "team"
CLAIMS, COMMANDS, RULES, COAP = "claims", "commands", "rules", "coap"
"""What may be asked; the second line needs a device."""

_WHAT = {
    VIEWER: "what a viewer may not",
    TEAM: "tags, rules and onboarded devices that are made and deleted",
    CLAIMS: "claims, blocks, and what devices are told then",
    COMMANDS: "commands, and what devices get",
    RULES: "rules that apply to devices",
    COAP: "the CoAP variant",
}
_UNAUTHORIZED = 401
_NEEDS_DEVICE = "needs --own-team, and a device that the service's factory knows: --control of a served fake"
_WITHOUT = {
    VIEWER: "needs the key of a viewer of the same team: --viewer-key-file",
    TEAM: "makes things in the team, which it undoes: --own-team",
    CLAIMS: _NEEDS_DEVICE,
    COMMANDS: _NEEDS_DEVICE,
    RULES: _NEEDS_DEVICE,
    COAP: "needs what claims need, and an address without DTLS: --address coap=coap://HOST:PORT",
}
_OF_DEVICES = {
    CLAIMS: ask_about_claims,
    COMMANDS: ask_about_commands,
    RULES: ask_about_rules,
    COAP: ask_by_coap,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """What may be asked of a service besides what is harmless.

    :ivar own_team: things may be made in the team.
    :ivar device: one that the service's factory knows; ``None``: there is none.
    """

    own_team: bool = False
    device: CheckDevice | None = None

    def topics(self, *sides: Side) -> set[str]:
        """Return what is asked of services that are compared."""
        found = {HARMLESS, TEAM} if self.own_team else {HARMLESS}
        if all(side.viewer for side in sides):
            found.add(VIEWER)
        if self.own_team and self.device is not None:
            found |= {CLAIMS, COMMANDS, RULES}
            found |= {COAP} if all(side.coap for side in sides) else set()
        return found


@dataclass(slots=True, kw_only=True)
class Findings:
    """What one service answered.

    :ivar left: what was made there and could not be undone, and why.
    """

    answers: Mapping[str, Mapping[str, str]]
    left: list[str] = field(default_factory=list)


def check(request: CheckRequest) -> CheckResult:
    """Ask a service and the fake the same questions.

    :raises UsageError: no key, one that others may read, or one that the service refuses.
    :raises BackendUnreachable: one of the two does not answer.
    """
    named, viewers = request.key_file, request.viewer_key_file
    key = (
        read_secret_file(named, named_by="--key-file", what=API_KEY)
        if named
        else read_api_key(request.theirs.url)
    )
    viewer = read_secret_file(viewers, named_by="--viewer-key-file", what=API_KEY) if viewers else ""
    with ExitStack() as resources:
        theirs = Side(
            ask=_asker(request.theirs, key, resources, elsewhere=True),
            viewer=viewer,
            coap=_without_dtls(request.theirs),
            accounts=request.accounts,
            whose=fingerprint(key),
        )
        # With a key that is refused every answer differs, and none of them says why.
        _refuse_wrong_key(request.theirs, theirs.ask, key, "--key-file" if named else API_KEY_VARIABLE)
        if viewer:
            _refuse_wrong_key(request.theirs, theirs.ask, viewer, "--viewer-key-file")
        device = None
        if request.own_team and request.control is not None:
            told = replace(request.theirs, control=str(request.control))
            device = _known_device(told, request.ours)
            if not viewer:
                theirs = replace(theirs, viewer=_viewer_of(told, theirs.ask))
        ours = Side(
            ask=_asker(request.ours, owner := _new_key(request.ours), resources, elsewhere=False),
            coap=_without_dtls(request.ours),
        )
        ours = replace(ours, viewer=_viewer_of(request.ours, ours.ask), whose=fingerprint(owner))
        return compare(theirs, ours, Leave(own_team=request.own_team, device=device))


def compare(theirs: Side, ours: Side, leave: Leave | None = None) -> CheckResult:
    """Ask two services the same questions, and tell what they do not do alike."""
    leave = leave or Leave()
    topics = leave.topics(theirs, ours)
    found, known = (interview(side, topics, leave.device) for side in (theirs, ours))
    return CheckResult(
        asked=len(known.answers),
        differences=differences(found, known),
        not_checked={_WHAT[topic]: _WITHOUT[topic] for topic in _WHAT if topic not in topics},
        left=tuple(found.left),
    )


def interview(side: Side, topics: AbstractSet[str], device: CheckDevice | None = None) -> Findings:
    """Ask a service, and undo what that makes, whatever ends it.

    :param topics: what to ask.
    :param device: see :class:`Leave`.
    """
    asking = Interview(side)
    findings = Findings(answers=asking.answers)
    try:
        if HARMLESS in topics:
            ask_harmlessly(asking)
        if VIEWER in topics:
            ask_as_viewer(asking)
        if TEAM in topics:
            ask_in_own_team(asking, device or CheckDevice())
        if device is not None:
            for topic, questions in _OF_DEVICES.items():
                if topic in topics:
                    questions(asking, device)
    finally:
        findings.left += asking.books.undo()
    return findings


def differences(found: Findings, known: Findings) -> tuple[Difference, ...]:
    """Return what two services do not do alike, in the order of the questions."""
    nothing: dict[str, str] = {}
    return tuple(
        Difference(
            question=question,
            aspect=aspect,
            theirs=found.answers.get(question, nothing).get(aspect, "none"),
            ours=known.answers.get(question, nothing).get(aspect, "none"),
        )
        for question in dict.fromkeys([*known.answers, *found.answers])
        for aspect in dict.fromkeys(
            [*known.answers.get(question, nothing), *found.answers.get(question, nothing)]
        )
        if found.answers.get(question, nothing).get(aspect)
        != known.answers.get(question, nothing).get(aspect)
    )


def _asker(backend: Backend, key: str, resources: ExitStack, *, elsewhere: bool) -> Ask:
    terms = terms_for(backend, lambda _change: None) if elsewhere else None
    hosts: dict[str, ServiceHttp] = {}

    def ask(
        method: str, path: str, *, part: str = "url", bearer: str | None = "", **content: Any
    ) -> httpx.Response:
        address = backend.url if part == "url" else backend.address(part)
        if address not in hosts:
            hosts[address] = resources.enter_context(ServiceHttp(address, terms=terms))
        headers = dict(content.pop("headers", {}))
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer or key}"
        return hosts[address].send(method, path, headers=headers, **content)

    return ask


def _refuse_wrong_key(service: Backend, ask: Ask, key: str, named_by: str) -> None:
    if ask("GET", DEVICES, bearer=key).status_code == _UNAUTHORIZED:
        raise UsageError(f"{service.url} answers 401 to this key; {WRONG_KEY}", key=named_by)


def _without_dtls(backend: Backend) -> str:
    """Return the address of the CoAP variant, if it is one that the check can speak with."""
    address = backend.addresses.get("coap", "")
    return address if urlsplit(address).scheme == "coap" else ""


def _new_key(fake: Backend, **wanted: str) -> str:
    """Return a key of a fake: of a new team, unless it is wanted otherwise."""
    with ServiceHttp("http://fake", socket=fake.control) as control:
        made = control.request("POST", "/teams", operation="make a team", accept={200, 201}, json=wanted)
        return str(made.json()["api_key"])


def _viewer_of(fake: Backend, ask: Ask) -> str:
    """Return the key of a viewer of the team that asks; a fake gives the same one every time."""
    response = ask("GET", "/v1/account", part="core")
    if not response.is_success:
        return ""
    owner = parse_answer(AccountRecord, response, "FetchAccountInfo").team.tenant_id
    return _new_key(fake, name=f"check-viewer-{owner}", role="viewer", owner_id=owner)


def _known_device(*fakes: Backend) -> CheckDevice:
    """Make a device, and have the factories of fakes know it."""
    device = CheckDevice()
    for fake in fakes:
        enrol(fake, device.record)
    return device
