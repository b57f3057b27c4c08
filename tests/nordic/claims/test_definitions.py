"""Tags and rules are in the ledger before the service hears of them, and undone from there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.backends.contract import Backend
from harness.errors import BackendUnreachable, RequestRefused, UsageError
from harness_nordic.client_requests import Configuration
from tests.nordic.claims.conftest import KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.backends.ledger import Entry, Ledger
    from harness_nordic.client import NrfCloudClient
    from tests.nordic.conftest import Service
    from tests.nordic.paper_device import PaperDevice

    Make = Callable[..., NrfCloudClient]

ALL = frozenset({"device-tags", "rule-control", "rules"})
CLOSE = "Connection: close\r\n"


def allow(client: NrfCloudClient, capabilities: frozenset[str] = ALL) -> NrfCloudClient:
    """Let a client take its service for one that can do this."""
    client.backend = replace(client.backend, capabilities=capabilities)
    return client


def kinds(ledger: Ledger) -> list[tuple[str, str]]:
    """Return kind and subject of what is in the ledger."""
    return [(entry.kind, entry.subject) for entry in ledger.entries()]


def names(client: NrfCloudClient) -> set[str]:
    """Return the names of a team's tags."""
    return {tag.name for tag in client.tags()}


def test_tag_is_undone(make: Make, fake: Backend, ledger: Ledger) -> None:
    """A tag is noted with its id and deleted after the test; what the test deletes is struck out."""
    client = make(fake)
    kept, gone = client.create_tag(client.own_name("kept")), client.create_tag(client.own_name("gone"))
    entry = ledger.entries()[0]
    assert (entry.kind, entry.subject, entry.details["id"]) == ("tag", kept.name, kept.id)
    assert KEY not in str(entry)

    gone.delete()
    assert kinds(ledger) == [("tag", kept.name)]

    client.undo()
    assert (kinds(ledger), names(client)) == ([], set())


def test_refused_tag_is_struck_out(make: Make, fake: Backend, ledger: Ledger) -> None:
    """What the service refused was not made; what had the name before is somebody's, and stays."""
    client, other = make(fake), make(fake, session="other")
    name = other.create_tag(other.own_name("theirs")).name

    with pytest.raises(RequestRefused):
        client.create_tag(name)

    assert [entry.session for entry in ledger.entries()] == ["other"]
    client.undo()
    assert name in names(other)


def test_tags_that_a_claim_defines_are_undone(
    make: Make, fake: Backend, ledger: Ledger, device: PaperDevice
) -> None:
    """A claim defines tags by the way: those that were not there before are ours, the others stay."""
    other, client = make(fake, session="other"), make(fake)
    theirs = other.create_tag(other.own_name("theirs")).name
    ours = client.own_name("ours")

    claimed = client.claim(device.token(), tags=[ours, theirs, ours])

    assert claimed.tags == (ours, theirs)
    noted = [(entry.session, entry.kind, entry.subject) for entry in ledger.entries()]
    assert sorted(noted) == [("other", "tag", theirs), ("run", "claim", device.id), ("run", "tag", ours)]
    client.undo()
    assert names(other) == {theirs}


def test_refused_claim_leaves_no_tag_noted(
    make: Make, fake: Backend, ledger: Ledger, device: PaperDevice
) -> None:
    """A claim that was refused defined nothing, and nothing of it is in the ledger."""
    client = make(fake, mode="fake")
    client.enrol(device.record())
    client.claim(device.token())
    before = kinds(ledger)

    with pytest.raises(RequestRefused):
        client.claim(device.token(), tags=[client.own_name("never")])

    assert kinds(ledger) == before


def test_rule_is_undone(make: Make, fake: Backend, ledger: Ledger) -> None:
    """A rule and the tags that it defined are noted, and gone after the test."""
    client = allow(make(fake))
    name, tag = client.own_name("rule"), client.own_name("tag")

    rule = client.create_rule(name, [Configuration({"a": "b"})], [tag])

    assert sorted(kinds(ledger)) == [("rule", name), ("tag", tag)]
    assert client.rule(name).id == rule.id
    client.undo()
    assert (kinds(ledger), client.rules(), names(client)) == ([], [], set())


def test_refused_rule_is_struck_out(make: Make, fake: Backend, ledger: Ledger) -> None:
    """A rule that was refused is not in the ledger, and the one that has its name stays."""
    client = allow(make(fake))
    rule = client.create_rule(client.own_name("rule"), [], [])
    before = kinds(ledger)

    with pytest.raises(RequestRefused):
        client.create_rule(rule.name, [], [])

    assert kinds(ledger) == before
    assert [each.id for each in client.rules()] == [rule.id]


def test_rule_needs_a_service_that_can(make: Make, fake: Backend, ledger: Ledger) -> None:
    """What could not be undone is not made: without the capability nothing is noted and nothing sent."""
    client = make(fake)

    with pytest.raises(UsageError, match="rules"):
        client.create_rule("rule", [], [])
    with pytest.raises(UsageError, match="device-tags"):
        client.set_tags("00000000-0000-4000-8000-000000000000", [])

    assert (kinds(ledger), client.rules()) == ([], [])


def test_rule_is_undone_where_that_may_be_impossible(make: Make, fake: Backend, ledger: Ledger) -> None:
    """Where rules may be left behind, deleting is tried all the same."""
    client = allow(make(fake), frozenset({"rules"}))
    client.create_rule(client.own_name("rule"), [], [])

    client.undo()

    assert (kinds(ledger), client.rules()) == ([], [])


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        (b'[{"id":"1","name":"one","tags":[]}]', "perhaps still there: the service answers 404"),
        (b'[{"id":"2","name":"two","tags":[]}]', "gone already"),
    ],
)
def test_rule_that_cannot_be_deleted_is_left(
    make: Make, literal_service: Service, ledger: Ledger, listed: bytes, said: str
) -> None:
    """A service that does not delete rules is no fault of a test that was let make them; a sweep is told."""
    literal_service.status(201, b'{"id":"1","tags":[]}', CLOSE)
    for _time in range(2):
        literal_service.status(404, b"", CLOSE)
        literal_service.status(200, listed, CLOSE)
    client = allow(make(Backend(name="nrfcloud", mode="url", url=literal_service.url)), frozenset({"rules"}))
    client.create_rule("one", [], [])
    (entry,) = ledger.entries()

    client.undo()

    assert kinds(ledger) == []
    assert client.undo_entry(entry) == said


def test_rule_of_which_nothing_is_told(make: Make, literal_service: Service, ledger: Ledger) -> None:
    """Where the service tells neither names nor ids of rules, the sweep says that the rule may be there."""
    literal_service.status(201, b'{"tags":[]}', CLOSE)
    literal_service.status(200, b'[{"tags":[]}]', CLOSE)
    client = allow(make(Backend(name="nrfcloud", mode="url", url=literal_service.url)), frozenset({"rules"}))
    client.create_rule("one", [], [])
    (entry,) = ledger.entries()

    assert client.undo_entry(entry) == (
        "perhaps still there: the service does not tell names and ids of rules"
    )


@pytest.mark.parametrize("kind", ["tag", "rule"])
def test_what_a_dead_session_left(make: Make, fake: Backend, ledger: Ledger, kind: str) -> None:
    """Another session with the key deletes it; a second time it is gone already."""
    entry = left_behind(allow(make(fake)), ledger, kind)
    heir = allow(make(fake, session="heir"))

    assert heir.undo_entry(entry) == "deleted"
    assert heir.undo_entry(entry) == "gone already"

    assert (names(heir), heir.rules()) == (set(), [])


def left_behind(client: NrfCloudClient, ledger: Ledger, kind: str) -> Entry:
    """Define something and forget it."""
    if kind == "tag":
        client.create_tag(client.own_name("left"))
    else:
        client.create_rule(client.own_name("left"), [], [])
    client.forget()
    (entry,) = ledger.entries()
    assert entry.kind == kind
    return entry


@pytest.mark.parametrize("kind", ["tag", "rule"])
def test_entry_of_another_key(make: Make, fake: Backend, ledger: Ledger, kind: str) -> None:
    """What was defined with another key is left alone."""
    client = allow(make(fake))
    entry = left_behind(client, ledger, kind)
    foreign = replace(entry, details={**entry.details, "key": "0123456789abcdef"})

    with pytest.raises(UsageError, match="another API key"):
        client.undo_entry(foreign)

    assert client.undo_entry(entry) == "deleted"


@pytest.mark.parametrize("kind", ["tag", "rule"])
def test_answer_that_nobody_saw(make: Make, fake: Backend, ledger: Ledger, kind: str) -> None:
    """Without an id only a name of the run's own proves who defined it."""
    client = allow(make(fake))
    entry = left_behind(client, ledger, kind)
    unseen = {name: value for name, value in entry.details.items() if name != "id"}

    heir = allow(make(fake, session="heir"))
    said = heir.undo_entry(replace(entry, details={**unseen, "own": "no"}))
    assert said == "somebody else may have defined it: left alone"
    assert heir.undo_entry(replace(entry, details=unseen)) == "deleted"
    assert heir.undo_entry(replace(entry, details=unseen)) == "never made, or gone already"


def test_tag_whose_answer_is_lost(make: Make, literal_service: Service, ledger: Ledger) -> None:
    """A call that got no answer stays in the ledger: the tag may be there."""
    literal_service.raw(None)
    client = make(Backend(name="nrfcloud", mode="url", url=literal_service.url))

    with pytest.raises(BackendUnreachable):
        client.create_tag("white-run")

    (entry,) = ledger.entries()
    assert (entry.kind, entry.subject, entry.details["own"]) == ("tag", "white-run", "yes")
    assert "id" not in entry.details


def test_tag_that_cannot_be_deleted(make: Make, literal_service: Service, ledger: Ledger) -> None:
    """A refusal that does not mean that it is gone is told, and the entry stays."""
    listed = b'{"items":[{"id":"1","tag":"white-run"}]}'
    literal_service.status(204, b"", CLOSE)
    literal_service.status(200, listed, CLOSE)
    literal_service.status(403, b'{"message":"no"}', CLOSE)
    literal_service.status(200, listed, CLOSE)
    client = make(Backend(name="nrfcloud", mode="url", url=literal_service.url))
    assert client.create_tag("white-run").id == "1"

    with pytest.raises(RequestRefused, match="DeleteTags"):
        client.undo()

    assert kinds(ledger) == [("tag", "white-run")]


def test_tag_that_is_gone_in_other_words(make: Make, literal_service: Service, ledger: Ledger) -> None:
    """How a service says that a tag is not there is not known: its list decides."""
    literal_service.status(204, b"", CLOSE)
    literal_service.status(200, b'[{"id":"1","tag":"white-run"}]', CLOSE)
    literal_service.status(403, b"", CLOSE)
    literal_service.status(200, b"[]", CLOSE)
    client = make(Backend(name="nrfcloud", mode="url", url=literal_service.url))
    client.create_tag("white-run")

    client.undo()

    assert kinds(ledger) == []


def test_definitions_of_others_are_not_touched(make: Make, fake: Backend) -> None:
    """Neither the client's own calls nor hand-made ones change what another session defined."""
    theirs, ours = allow(make(fake, session="theirs")), allow(make(fake, session="ours"))
    tag = theirs.create_tag(theirs.own_name("tag"))
    rule = theirs.create_rule(theirs.own_name("rule"), [], [tag.name], active=False)

    for call in (
        lambda: ours.delete_tag(tag.id),
        lambda: ours.change_tag(tag.id, "stolen", ""),
        lambda: ours.delete_rule(rule.id),
        lambda: ours.change_rule(rule.id, {"active": True}),
        lambda: ours.raw.request("DELETE", f"/v1/provisioning/tags/{tag.id}"),
    ):
        with pytest.raises(UsageError, match="did not define"):
            call()

    assert ours.tag(tag.name).id == tag.id
    assert not ours.rule(rule.name).active
    tag.rename(theirs.own_name("renamed"))
    rule.activate()


def test_existing_rule_is_found_by_its_name(make: Make, fake: Backend, device: PaperDevice) -> None:
    """A rule is named, or the names that there are are told; one without a group takes no device."""
    client = allow(make(fake))
    rule = client.create_rule(client.own_name("rule"), [], [])

    with pytest.raises(UsageError, match="no provisioning group"):
        client.claim_with_rule(device.token(), rule.name)
    with pytest.raises(UsageError, match=rule.name):
        client.rule("another")
    assert client.devices() == []


def test_onboarding_needs_certificates(make: Make, fake: Backend) -> None:
    """Without certificates the choice has to be None; nothing is made otherwise."""
    client = allow(make(fake), ALL | {"onboarding"})

    with pytest.raises(UsageError, match="authorities"):
        client.auto_onboard(name=client.own_name("onboarding"))

    assert (client.rules(), names(client)) == ([], set())
