"""The check finds each thing that a service decides otherwise than our fake, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from harness.backends.contract import UnkeptAccounts
from harness.errors import BackendUnreachable
from harness_nordic.check_books import Side
from harness_nordic.check_device import CheckDevice
from harness_nordic.enums import Role
from harness_nordic.fake.app import NrfCloudFake
from harness_nordic.fake.choices import CONTRARIAN, FAKE
from harness_nordic.service_check import (
    CLAIMS,
    COAP,
    COMMANDS,
    HARMLESS,
    RULES,
    TEAM,
    VIEWER,
    Findings,
    Leave,
    compare,
    differences,
    interview,
)
from tests.nordic.fake.coap_peers import UdpServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHOICES = [
    field.name for field in fields(FAKE) if getattr(FAKE, field.name) != getattr(CONTRARIAN, field.name)
]
FOUND_BY = {
    "bad_request": HARMLESS,
    "blocked_device": CLAIMS,
    "block_answers_device": CLAIMS,
    "block_shown": CLAIMS,
    "bad_credentials": CLAIMS,
    "bulk_claimed_as_devices": CLAIMS,
    "bulk_failed_as_tokens": HARMLESS,
    "coap_claim_needed": COAP,
    "coap_session_seconds": COAP,
    "coap_suspend": COAP,
    "command_control": HARMLESS,
    "conflict": TEAM,
    "core_all_rows_or_none": TEAM,
    "core_delete_answers_device": TEAM,
    "core_groups_shown": TEAM,
    "core_operation_takes_time": TEAM,
    "dry_run_body": CLAIMS,
    "error_code": HARMLESS,
    "filters": CLAIMS,
    "not_found": HARMLESS,
    "plain_lists": HARMLESS,
    "reason_told": HARMLESS,
    "role_too_low": VIEWER,
    "rule_control": HARMLESS,
    "rule_finished": RULES,
    "rules_brief": TEAM,
    "rules_in_order": RULES,
    "rules_onboard": RULES,
    "rules_overtake": RULES,
    "tags_answered": TEAM,
    "tags_by_claim": CLAIMS,
    "tags_readable": HARMLESS,
    "tags_settable": HARMLESS,
    "token_refused": HARMLESS,
    "unclaimed_device": CLAIMS,
}
"""What is to be asked; those that are not here are about commands."""
EVERYTHING = frozenset({HARMLESS, VIEWER, TEAM, CLAIMS, COMMANDS, RULES, COAP})


@dataclass
class Asked:
    """A fake in this process, and what it was asked to change.

    :ivar before: called with method, path and content before each request.
    """

    fake: NrfCloudFake
    loop: asyncio.AbstractEventLoop
    client: httpx.AsyncClient
    key: str
    viewer: str
    before: Callable[..., None] = lambda *_request, **_content: None

    def __call__(
        self, method: str, path: str, *, part: str = "url", bearer: str | None = "", **content: Any
    ) -> httpx.Response:
        """Ask."""
        assert part in {"url", "core", "device"}
        self.before(method, path, **content)
        headers = dict(content.pop("headers", {}))
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer or self.key}"
        return self.loop.run_until_complete(self.client.request(method, path, headers=headers, **content))

    def knows(self, device: CheckDevice) -> None:
        """Have its factory know a device."""

        async def enrol() -> int:
            transport = httpx.ASGITransport(self.fake.control)
            async with httpx.AsyncClient(transport=transport, base_url="http://fake") as client:
                return (await client.post("/factory", json=device.record)).status_code

        assert self.loop.run_until_complete(enrol()) == 201

    def side(self, *, coap: str = "", **more: Any) -> Side:
        """Return it as the check sees it."""
        return Side(ask=self, viewer=self.viewer, coap=coap, **more)


class Fakes:
    """Starts fakes; all end with the tests of this file."""

    def __init__(self, resources: ExitStack) -> None:
        self._resources = resources
        self._loop = asyncio.new_event_loop()
        resources.callback(self._loop.close)

    def start(self, **choices: Any) -> Asked:
        """Start a fake."""
        fake = NrfCloudFake(choices=replace(FAKE, **choices))
        owner = fake.provisioning.add_member()
        viewer = fake.provisioning.add_member(Role.VIEWER, owner_id=owner.owner_id)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(fake.service), base_url="http://fake")
        self._resources.callback(lambda: self._loop.run_until_complete(client.aclose()))
        return Asked(fake, self._loop, client, owner.api_key, viewer.api_key)

    def interview(self, *topics: str, **choices: Any) -> Findings:
        """Ask a fake that decides some things otherwise what belongs to some topics."""
        asked, device = self.start(**choices), CheckDevice()
        asked.knows(device)
        with ExitStack() as served:
            coap = ""
            if COAP in topics:
                port = served.enter_context(UdpServer(asked.fake.datagrams)).port
                coap = f"coap://127.0.0.1:{port}"
            return interview(asked.side(coap=coap), set(topics), device)


@pytest.fixture(scope="module")
def fakes() -> Iterator[Fakes]:
    """What starts fakes."""
    with ExitStack() as resources:
        yield Fakes(resources)


@pytest.fixture(scope="module")
def known(fakes: Fakes) -> Findings:
    """What our fake answers."""
    return fakes.interview(*EVERYTHING)


def test_fake_is_like_itself(fakes: Fakes, known: Findings) -> None:
    """Two fakes that decide alike show no difference, whatever is asked."""
    one = fakes.interview(*EVERYTHING)

    assert differences(one, known) == ()
    assert len(one.answers) > 70
    assert one.left == []


@pytest.mark.parametrize("choice", CHOICES)
def test_each_choice_is_found(choice: str, fakes: Fakes, known: Findings) -> None:
    """A service that decides one thing otherwise is told apart from the fake by it."""
    topic = FOUND_BY.get(choice, COMMANDS)

    found = fakes.interview(topic, **{choice: getattr(CONTRARIAN, choice)})

    asked = Findings(answers={question: known.answers.get(question, {}) for question in found.answers})
    assert differences(found, asked)


def test_topics_name_choices() -> None:
    """No entry outlives the choice that it is about."""
    assert set(FOUND_BY) <= set(CHOICES)


# What is made ----------------------------------------------------------------------------------------


class Notes(UnkeptAccounts):
    """Accounts that remember what is open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: dict[int, tuple[str, str]] = {}
        self.details: dict[int, dict[str, str]] = {}

    def note(self, kind: str, subject: str, **details: str) -> int:
        """Note it."""
        number = super().note(kind, subject)
        self.open[number], self.details[number] = (kind, subject), details
        return number

    def amend(self, number: int, **details: str) -> None:
        """Add to it."""
        self.details[number] |= details

    def settle(self, number: int) -> None:
        """Strike it out."""
        del self.open[number]


def team_of(asked: Asked) -> dict[str, Any]:
    """Return everything that a team has."""
    paths = ("/v1/claimed-devices", "/v1/claimed-devices/tags", "/v1/provisioning-rules", "/v1/devices")
    lists = {path: asked("GET", path, params={"pageLimit": "100"}).json() for path in paths}
    return {path: found.get("items") if isinstance(found, dict) else found for path, found in lists.items()}


def test_harmless_questions_make_nothing(fakes: Fakes) -> None:
    """Without leave nothing is sent that could make something; what is not checked is said, with a reason."""
    asked = fakes.start(**asdict(CONTRARIAN))
    before = team_of(asked)

    result = compare(asked.side(), fakes.start().side())

    assert team_of(asked) == before
    assert len(result.differences) > 10
    said = " ".join(f"{what}: {why}" for what, why in result.not_checked.items())
    assert [word in said for word in ("tags, rules", "--own-team", "--control", "--address")] == [True] * 4
    assert "--viewer-key-file" not in said


def test_what_is_not_asked_has_a_reason(fakes: Fakes) -> None:
    """With everything at hand everything is checked; without a viewer's key that alone is not."""
    theirs, ours, device = fakes.start(), fakes.start(), CheckDevice()
    theirs.knows(device)
    ours.knows(device)
    leave = Leave(own_team=True, device=device)
    with UdpServer(theirs.fake.datagrams) as one, UdpServer(ours.fake.datagrams) as other:
        coaps = [f"coap://127.0.0.1:{server.port}" for server in (one, other)]
        sides = [asked.side(coap=coap) for asked, coap in zip((theirs, ours), coaps, strict=True)]

        whole = compare(sides[0], sides[1], leave)
        blind = compare(replace(sides[0], viewer=""), sides[1], leave)

    assert (whole.differences, dict(whole.not_checked), whole.left) == ((), {}, ())
    assert list(blind.not_checked) == ["what a viewer may not"]


def test_what_is_made_is_noted_before_and_undone(fakes: Fakes) -> None:
    """Before each call that makes something its entry is there; in the end all is undone and struck out."""
    asked, device, notes = fakes.start(), CheckDevice(), Notes()
    asked.knows(device)
    making = {
        "/v1/claimed-devices": "claim",
        "/v1/claimed-devices/tags": "tag",
        "/v1/provisioning-rules": "rule",
        "/v1/devices": "core-device",
    }
    made: list[str] = []
    unnoted: list[str] = []

    def look(method: str, path: str, **content: Any) -> None:
        if method == "POST" and path in making and "params" not in content:
            made.append(making[path])
            # The newest entries are about this call; nothing else of the kind is noted between.
            latest = [notes.open.get(number, ("", ""))[0] for number in list(notes.details)[-2:]]
            unnoted.extend([path] if making[path] not in latest else [])

    asked.before = look
    found = interview(asked.side(accounts=notes, whose="us"), EVERYTHING - {HARMLESS, COAP}, device)
    asked.before = lambda *_request, **_content: None

    assert set(made) == set(making.values())
    assert unnoted == []
    assert found.left == []
    assert notes.open == {}
    assert {tuple(sorted(details))[:2] for details in notes.details.values()} >= {("claimedAt", "key")}
    assert {details["key"] for details in notes.details.values()} == {"us"}
    assert not any(team_of(asked).values())


@pytest.mark.parametrize("at", [3, 12, 30, 45, 60, 75])
def test_interrupted(at: int, fakes: Fakes) -> None:
    """Ctrl-C at any call undoes what was made until then."""
    asked, device, notes = fakes.start(), CheckDevice(), Notes()
    asked.knows(device)
    calls = count(1)

    def interrupt(*_request: str, **_content: Any) -> None:
        if next(calls) == at:
            raise KeyboardInterrupt

    asked.before = interrupt
    with pytest.raises(KeyboardInterrupt):
        interview(asked.side(accounts=notes), EVERYTHING - {HARMLESS, COAP}, device)

    assert notes.open == {}
    assert not any(team_of(asked).values())


def test_service_that_goes_away(fakes: Fakes) -> None:
    """What could not be undone stays in the ledger, with what the client needs to undo it."""
    asked, device, notes = fakes.start(), CheckDevice(), Notes()
    asked.knows(device)
    calls = count(1)

    def go_away(*_request: str, **_content: Any) -> None:
        if next(calls) > 12:
            raise BackendUnreachable("gone")

    asked.before = go_away
    with pytest.raises(BackendUnreachable):
        interview(asked.side(accounts=notes, whose="us"), {TEAM, CLAIMS}, device)

    asked.before = lambda *_request, **_content: None
    left = [rule["name"] for rule in team_of(asked)["/v1/provisioning-rules"]]
    assert left
    assert {("rule", name) for name in left} <= set(notes.open.values())
    details = [notes.details[number] for number in notes.open]
    assert all(entry["own"] == "yes" for entry in details)
    assert any(entry.get("id") for entry in details)


def test_rule_that_cannot_be_deleted(fakes: Fakes) -> None:
    """A rule that the service does not delete is named as left, and stays in the ledger."""
    asked, notes = fakes.start(rule_control=False), Notes()

    found = interview(asked.side(accounts=notes), {TEAM}, None)

    (rule,) = team_of(asked)["/v1/provisioning-rules"]
    assert found.left == [f"rule {rule['name']}: the service answers 404"]
    assert list(notes.open.values()) == [("rule", rule["name"])]
    assert rule["active"] is False


def test_rule_without_an_id(fakes: Fakes) -> None:
    """A rule of which the service tells neither id nor name is named as left."""
    asked, notes = fakes.start(rules_brief=True), Notes()

    found = interview(asked.side(accounts=notes), {TEAM}, None)

    assert [line.partition(": ")[2] for line in found.left] == ["the service does not tell its id"]
    assert [kind for kind, _name in notes.open.values()] == ["rule"]


def test_service_that_answers_errors(fakes: Fakes) -> None:
    """An error of the service is no proof that something is gone: it stays in the ledger."""
    asked, device, notes = fakes.start(), CheckDevice(), Notes()
    asked.knows(device)
    broken = httpx.Response(500)
    side = Side(
        ask=lambda *request, **content: broken if notes.open else asked(*request, **content), accounts=notes
    )

    found = interview(side, {CLAIMS}, device)

    assert {line.partition(" ")[0] for line in found.left} == {"claim", "tag"}
    assert {kind for kind, _subject in notes.open.values()} == {"claim", "tag"}
