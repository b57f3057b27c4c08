"""Provisioning rules under control: made, edited as drafts, activated, taken out of use, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.client_requests import Configuration, Finished, ServerCertificate
from harness_nordic.enums import CredentialType, DeviceStatus

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

pytestmark = [
    pytest.mark.board(driver="nrf91", needs={"attestation"}),
    pytest.mark.backend(needs={"rules"}),
]

RULES = "/v1/provisioning-rules"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.mark.proves("create rule", "201, the rule is listed with its tags")
def test_rule_is_listed(nrfcloud: Any, tag: Any, rule: Any) -> None:
    """A rule that was made is in the list, with the tags that it is for."""
    assert (tag.name,) in [each.tags for each in nrfcloud.rules()]


@pytest.mark.backend(needs={"rule-details"})
@pytest.mark.proves("create rule", "201 with the rule, its commands and its tags")
def test_rule_is_answered(nrfcloud: Any, tag: Any, sec_tag: int, root_ca: str) -> None:
    """The answer holds the rule as it was asked for."""
    name = nrfcloud.own_name("rule")
    request = {"serverCertificate": {"secTag": sec_tag, "content": root_ca}}
    body = {"name": name, "description": "by hand", "active": True, "commands": [{"request": request}]}

    answer = nrfcloud.raw.request("POST", RULES, json={**body, "tags": [tag.name]})

    assert answer.status_code == 201
    made = answer.json()
    assert (made["name"], made["description"], made["active"]) == (name, "by hand", True)
    assert [command["request"] for command in made["commands"]] == [request]
    assert made["tags"] == [tag.name]
    assert nrfcloud.rule(name).commands == [request]
    nrfcloud.delete_rule(made["id"])


@pytest.mark.proves("create rule", "409 for a name that is taken")
def test_name_of_a_rule_is_unique(nrfcloud: Any, tag: Any, rule: Any, refused: Any) -> None:
    """A second rule of one name is refused, also with other commands."""
    with refused(409):
        nrfcloud.create_rule(rule.name, [Finished()], [tag.name])

    assert [each.tags for each in nrfcloud.rules()].count((tag.name,)) == 1


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": 7},
        {"name": "x", "commands": [{"request": {}}]},
        {"name": "x", "commands": [{"request": {"finished": {}, "config": {"properties": {}}}}]},
        {"name": "x", "commands": [{"request": {"reboot": {}}}]},
        {"name": "x", "commands": {}},
        {"name": "x", "tags": ["x" * 101]},
        {"name": "x", "tags": "white"},
        {"name": "x", "active": "perhaps"},
    ],
    ids=str,
)
@pytest.mark.proves("create rule", "400 for a body that is no rule")
def test_unfit_rule(board: LeasedBoard, nrfcloud: Any, body: dict[str, Any]) -> None:
    """What is no rule is refused with a message, and no rule is made."""
    before = [rule.id for rule in nrfcloud.rules()]

    answer = nrfcloud.raw.request("POST", RULES, json=body)

    assert answer.status_code == 400
    assert answer.json()["message"]
    assert [rule.id for rule in nrfcloud.rules()] == before


@pytest.mark.backend(needs={"rule-details", "exact-status"})
@pytest.mark.proves("create rule", "400 for more commands than a device may have")
def test_rule_of_too_many_commands(nrfcloud: Any, tag: Any, refused: Any) -> None:
    """A rule that no device could ever get is refused, and not made."""
    name = nrfcloud.own_name("large")

    with refused(400):
        nrfcloud.create_rule(name, [Configuration({"a": "b"})] * 20, [tag.name])

    assert name not in {rule.name for rule in nrfcloud.rules()}


@pytest.mark.backend(needs={"rule-control"})
@pytest.mark.proves("create rule", "201 as a draft, which no board gets before it is activated")
def test_draft_is_applied_when_it_is_activated(
    board: LeasedBoard,
    nrfcloud: Any,
    tag: Any,
    tagged: Any,
    sec_tag: int,
    root_ca: str,
    has_ca: Any,
    held: Any,
) -> None:
    """A draft changes nothing for a board that is online; activated, it applies at the next contact."""
    commands = [ServerCertificate(sec_tag=sec_tag, content=root_ca)]
    draft = nrfcloud.create_rule(nrfcloud.own_name("draft"), commands, [tag.name], active=False)

    assert not draft.refresh().active
    assert not board.driver.provision().finished
    assert held(sec_tag) == {}

    draft.activate()
    assert draft.refresh().active
    board.driver.provision()
    assert has_ca(root_ca)


@pytest.mark.backend(needs={"rule-control"})
@pytest.mark.proves("update rule", "200 for a draft, the board gets what it says at last")
def test_draft_is_edited(
    board: LeasedBoard,
    nrfcloud: Any,
    tag: Any,
    tagged: Any,
    sec_tag: int,
    root_cas: tuple[str, ...],
    has_ca: Any,
) -> None:
    """Name, description and commands of a draft may change until it is activated."""
    commands = [ServerCertificate(sec_tag=sec_tag, content=root_cas[0])]
    draft = nrfcloud.create_rule(nrfcloud.own_name("draft"), commands, [tag.name], active=False)
    changed = {"serverCertificate": {"secTag": sec_tag, "content": root_cas[1]}}
    name = nrfcloud.own_name("edited")

    draft.change(name=name, description="edited", commands=[{"request": changed}])
    draft.activate()

    draft.refresh()
    assert (draft.name, draft.description, draft.commands) == (name, "edited", [changed])
    assert draft.tags == (tag.name,)
    board.driver.provision()
    assert has_ca(root_cas[1])


@pytest.mark.backend(needs={"rule-control"})
@pytest.mark.parametrize("field", ["name", "description", "commands", "tags"])
@pytest.mark.proves("update rule", "409 for an active rule, which stays as it is")
def test_active_rule_is_not_edited(
    board: LeasedBoard,
    nrfcloud: Any,
    rule: Any,
    tagged: Any,
    root_ca: str,
    has_ca: Any,
    refused: Any,
    field: str,
) -> None:
    """An activated rule and its commands cannot be edited; the board gets it as it was activated."""
    before = rule.refresh().commands
    change: dict[str, Any] = {
        "name": nrfcloud.own_name("new"),
        "description": "new",
        "commands": [{"request": {"finished": {}}}],
        "tags": [],
    }

    with refused(409):
        rule.change(**{field: change[field]})

    assert rule.refresh().commands == before
    assert rule.description == ""
    board.driver.provision()
    assert has_ca(root_ca)


@pytest.mark.backend(needs={"rule-control"})
@pytest.mark.proves("update rule", "409 for a name that is taken")
def test_draft_takes_no_name_of_another_rule(nrfcloud: Any, tag: Any, rule: Any, refused: Any) -> None:
    """Names stay unique when a draft is renamed."""
    draft = nrfcloud.create_rule(nrfcloud.own_name("draft"), [Finished()], [tag.name], active=False)
    name = draft.name

    with refused(409):
        draft.change(name=rule.name)

    assert draft.refresh().name == name


@pytest.mark.backend(needs={"rule-control"})
@pytest.mark.proves("update rule", "200 to take it out of use, no board gets it any more")
def test_rule_taken_out_of_use(
    board: LeasedBoard, rule: Any, tagged: Any, root_ca: str, has_ca: Any, held: Any, sec_tag: int
) -> None:
    """A rule that is out of use is a draft again; activated again, it applies to who has not got it."""
    rule.deactivate()

    assert not rule.refresh().active
    assert not board.driver.provision().finished
    assert held(sec_tag) == {}

    rule.activate()
    board.driver.provision()
    assert has_ca(root_ca)


@pytest.mark.backend(needs={"rule-control"})
@pytest.mark.proves("update rule", "activated again, it is not applied twice")
def test_rule_activated_again(
    board: LeasedBoard, rule: Any, tagged: Any, sec_tag: int, root_ca: str, has_ca: Any, held: Any
) -> None:
    """A board that has got a rule does not get it again because it was out of use meanwhile."""
    board.driver.provision()
    assert has_ca(root_ca)
    board.driver.delete_credential(sec_tag, CredentialType.ROOT_CA)
    rule.deactivate()
    rule.activate()

    assert board.driver.provision().event == "NO_COMMANDS"

    assert held(sec_tag) == {}


@pytest.mark.backend(needs={"rule-control"})
@pytest.mark.proves("delete rule", "204, no board gets it any more")
def test_deleted_rule(
    board: LeasedBoard, nrfcloud: Any, rule: Any, tagged: Any, refused: Any, held: Any, sec_tag: int
) -> None:
    """A rule that is gone applies to nobody, and cannot be read or deleted again."""
    rule.delete()

    assert rule.name not in {each.name for each in nrfcloud.rules()}
    for gone in (rule.refresh, rule.delete):
        with refused(404):
            gone()
    assert not board.driver.provision().finished
    assert held(sec_tag) == {}


@pytest.mark.backend(needs={"rule-control", "command-list"})
@pytest.mark.proves("delete rule", "204, what it gave stays")
def test_commands_outlive_their_rule(
    board: LeasedBoard, rule: Any, tagged: Any, root_ca: str, has_ca: Any
) -> None:
    """Deleting a rule takes back neither the commands of a device nor what the board holds."""
    board.driver.provision()
    before = [command.id for command in tagged.commands()]

    rule.delete()

    assert [command.id for command in tagged.commands()] == before
    assert has_ca(root_ca)


@pytest.mark.backend(needs={"rule-control"})
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.proves("read rule", "404 for an unknown rule")
def test_unknown_rule(board: LeasedBoard, nrfcloud: Any, method: str) -> None:
    """What is no rule of the team is neither read, changed nor deleted."""
    answer = nrfcloud.raw.request(method, f"{RULES}/{NOBODY}", json={"active": False})

    assert answer.status_code == 404


@pytest.mark.backend(needs={"rule-control"})
@pytest.mark.proves("update tag", "200, the rules for it follow")
def test_rule_follows_its_renamed_tag(
    board: LeasedBoard, nrfcloud: Any, tag: Any, rule: Any, tagged: Any, root_ca: str, has_ca: Any
) -> None:
    """A rule is for a group, whatever the group is called: a renamed tag changes nothing for its devices."""
    tag.rename(nrfcloud.own_name("renamed"))

    assert rule.refresh().tags == (tag.name,)
    board.driver.provision()
    assert has_ca(root_ca)


@pytest.mark.proves("delete tag", "204, the rules for it apply no more")
def test_rule_without_its_tag(
    board: LeasedBoard, tag: Any, rule: Any, tagged: Any, held: Any, sec_tag: int
) -> None:
    """A device that has lost its tag gets nothing of the tag's rules."""
    tag.delete()

    assert not board.driver.provision().finished

    assert held(sec_tag) == {}
    assert tagged.refresh().status is DeviceStatus.READY


@pytest.mark.backend(needs={"device-tags"})
@pytest.mark.proves("tag device", "200, its rules apply at the next contact")
def test_tag_given_later(
    board: LeasedBoard, nrfcloud: Any, tag: Any, rule: Any, root_ca: str, has_ca: Any, held: Any, sec_tag: int
) -> None:
    """A board that joins a group after its claim gets the rules of the group."""
    device = nrfcloud.claim(board.driver.attestation_token())
    assert not board.driver.provision().finished
    assert held(sec_tag) == {}

    device.set_tags([tag.name])
    board.driver.provision()

    assert has_ca(root_ca)
