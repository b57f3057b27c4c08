"""``harness backend check nrfcloud=...``: how a service differs from our fake of nRF Cloud."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.backends.checking import CheckResult, Difference
from harness.backends.http import ServiceHttp
from harness_nordic.check_device import CheckDevice
from harness_nordic.check_probes import Interview, ask_harmlessly, ask_in_own_team, ask_with_device
from harness_nordic.client import enrol
from harness_nordic.client_access import read_api_key, read_key_file, terms_for

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from harness.backends.checking import CheckRequest
    from harness.backends.contract import Backend
    from harness_nordic.check_probes import Ask

MAKES = "makes things in the team, which it undoes: --own-team"
NEEDS_DEVICE = "needs a device of the check's own, and --control of a service that can be told of one"
NEEDS_KEYS = "needs keys of other roles"


def check(request: CheckRequest) -> CheckResult:
    """Ask a service and the fake the same questions.

    :raises UsageError: no key, or one that others may read.
    :raises BackendUnreachable: one of the two does not answer.
    """
    key = (
        read_key_file(request.key_file, named_by="--key-file")
        if request.key_file
        else read_api_key(request.theirs.url)
    )
    device = CheckDevice()
    with ExitStack() as resources:
        theirs = _asker(request.theirs, key, resources, elsewhere=True)
        ours = _asker(request.ours, _key_of_fake(request.ours), resources, elsewhere=False)
        with_device = request.own_team and request.control is not None
        if with_device:
            _enrol_everywhere(request, device)
        return compare(theirs, ours, own_team=request.own_team, device=device if with_device else None)


def compare(
    theirs: Ask, ours: Ask, *, own_team: bool = False, device: CheckDevice | None = None
) -> CheckResult:
    """Ask two services the same questions, and tell what they do not do alike.

    :param own_team: whether things may be made in the team.
    :param device: one that both know, to claim and to be.
    """
    rounds: list[Callable[[Interview], None]] = [ask_harmlessly]
    not_checked = {"commands of another role's key": NEEDS_KEYS}
    if own_team:
        rounds.append(ask_in_own_team)
    else:
        not_checked["tags that are made and deleted"] = MAKES
    if device is not None:
        rounds.append(lambda interview: ask_with_device(interview, device))
    else:
        not_checked["claims, blocks, commands and what devices get"] = NEEDS_DEVICE
    both = (Interview(theirs), Interview(ours))
    for questions in rounds:
        for interview in both:
            questions(interview)
    found, known = (interview.answers for interview in both)
    differences = [
        Difference(
            question=question,
            aspect=aspect,
            theirs=found.get(question, {}).get(aspect, "none"),
            ours=known.get(question, {}).get(aspect, "none"),
        )
        for question in dict.fromkeys([*known, *found])
        for aspect in dict.fromkeys([*known.get(question, {}), *found.get(question, {})])
        if found.get(question, {}).get(aspect) != known.get(question, {}).get(aspect)
    ]
    return CheckResult(asked=len(known), differences=tuple(differences), not_checked=not_checked)


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


def _key_of_fake(fake: Backend) -> str:
    with ServiceHttp("http://fake", socket=fake.control) as control:
        made = control.request("POST", "/teams", operation="make a team", accept={201}, json={})
        return str(made.json()["api_key"])


def _enrol_everywhere(request: CheckRequest, device: CheckDevice) -> None:
    enrol(request.ours, device.record)
    enrol(replace(request.theirs, control=str(request.control)), device.record)
