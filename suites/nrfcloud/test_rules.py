"""Provisioning rules: what devices that hold their tags get, when, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.client_core_models import OnboardingRow
from harness_nordic.client_requests import ClientCertificate, Configuration, Finished, ServerCertificate
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CommandStatus, CommandType, CredentialType, DeviceStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard

pytestmark = [
    pytest.mark.board(driver="nrf91", needs={"attestation"}),
    pytest.mark.backend(needs={"rules"}),
]


@pytest.mark.proves("rule", "applied when the board is online")
def test_board_that_comes_online_gets_its_rule(
    board: LeasedBoard, rule: Any, tagged: Any, root_ca: str, has_ca: Any
) -> None:
    """A board in the group of a rule executes the commands of the rule, without anybody adding one."""
    board.driver.provision()

    assert has_ca(root_ca)


@pytest.mark.backend(needs={"rule-details"})
@pytest.mark.proves("rule", "applied when the board is online: PROVISIONED, finished comes last")
def test_rule_provisions_its_board(
    board: LeasedBoard, rule: Any, tagged: Any, root_ca: str, has_ca: Any, types_of: Any
) -> None:
    """The service puts one ``finished`` behind the commands of the rule; the board does all of it."""
    assert board.driver.provision().finished

    assert tagged.refresh().status is DeviceStatus.PROVISIONED
    assert types_of(tagged) == [CommandType.SERVER_CERTIFICATE, CommandType.FINISHED]
    assert {command.status for command in tagged.commands()} == {CommandStatus.SUCCEEDED}
    assert has_ca(root_ca)


@pytest.mark.backend(needs={"command-list"})
@pytest.mark.proves("rule", "not applied while the board is offline")
def test_rule_waits_for_an_offline_board(
    board: LeasedBoard, nrfcloud: Any, rule: Any, tagged: Any, has_ca: Any, held: Any, sec_tag: int
) -> None:
    """Commands of a rule do not appear before the board is online; until then the device is READY."""
    assert tagged.refresh().status is DeviceStatus.READY
    assert tagged.commands() == []
    assert nrfcloud.device(tagged.id).commands() == []
    assert held(sec_tag) == {}

    board.driver.provision()

    assert next(command.type for command in tagged.commands()) is CommandType.SERVER_CERTIFICATE


@pytest.mark.proves("rule", "not applied to a blocked board, applied after the block")
def test_rule_waits_for_a_blocked_board(
    board: LeasedBoard,
    nrfcloud: Any,
    rule: Any,
    tagged: Any,
    root_ca: str,
    has_ca: Any,
    held: Any,
    sec_tag: int,
) -> None:
    """A blocked board that asks gets nothing of a rule; once it is unblocked it gets all of it."""
    tagged.block()

    assert board.driver.provision().refused_with in {401, 403}
    assert held(sec_tag) == {}
    if "command-list" in nrfcloud.capabilities:
        assert tagged.commands() == []

    tagged.unblock()
    assert tagged.refresh().status is DeviceStatus.READY
    board.driver.provision()
    assert has_ca(root_ca)


@pytest.mark.backend(needs={"command-list", "rule-details"})
@pytest.mark.proves("rule", "applied once a device")
def test_rule_is_applied_once(
    board: LeasedBoard, rule: Any, tagged: Any, sec_tag: int, root_ca: str, has_ca: Any, held: Any
) -> None:
    """A board that has its rule does not get it again, however often it asks and whatever it has lost."""
    board.driver.provision()
    assert has_ca(root_ca)
    board.driver.delete_credential(sec_tag, CredentialType.ROOT_CA)
    before = [command.id for command in tagged.commands()]

    assert board.driver.provision().event == "NO_COMMANDS"
    assert board.driver.provision().event == "NO_COMMANDS"

    assert [command.id for command in tagged.commands()] == before
    assert held(sec_tag) == {}


@pytest.mark.backend(needs={"rule-details"})
@pytest.mark.proves("rule", "applied again after the board was claimed anew")
def test_new_claim_gets_the_rule_again(
    board: LeasedBoard,
    nrfcloud: Any,
    tag: Any,
    rule: Any,
    tagged: Any,
    sec_tag: int,
    root_ca: str,
    has_ca: Any,
) -> None:
    """What was applied is remembered for one claim: the next one begins with a clean record."""
    board.driver.provision()
    tagged.unclaim()
    board.driver.delete_credential(sec_tag, CredentialType.ROOT_CA)
    nrfcloud.claim(board.driver.attestation_token(), tags=[tag.name])

    board.driver.provision()

    assert has_ca(root_ca)


@pytest.mark.proves("rule", "not applied to a device without its tag")
def test_rule_is_for_its_group_only(
    board: LeasedBoard, nrfcloud: Any, rule: Any, held: Any, sec_tag: int
) -> None:
    """A board with another tag gets nothing of the rule."""
    other = nrfcloud.create_tag(nrfcloud.own_name("other"))
    device = nrfcloud.claim(board.driver.attestation_token(), tags=[other.name])

    assert not board.driver.provision().finished

    assert held(sec_tag) == {}
    assert device.refresh().status is DeviceStatus.READY


@pytest.mark.backend(needs={"core-details"})
@pytest.mark.proves("rule", "not applied for a tag of the core")
def test_core_tag_triggers_no_rule(
    board: LeasedBoard, nrfcloud: Any, tag: Any, rule: Any, onboarded_with: Any, held: Any, sec_tag: int
) -> None:
    """A tag of device management is no provisioning tag, though it is called the same."""
    device = nrfcloud.claim(board.driver.attestation_token())
    onboarded_with(device.id, tag.name)

    assert not board.driver.provision().finished

    assert nrfcloud.core.device(device.id).tags == (tag.name,)
    assert device.refresh().tags == ()
    assert device.status is DeviceStatus.READY
    assert held(sec_tag) == {}


@pytest.fixture
def onboarded_with(nrfcloud: Any, client_certificate: str) -> Callable[[str, str], None]:
    """Onboard a device with a tag of the core."""

    def onboard(device_id: str, tag: str) -> None:
        row = OnboardingRow(id=device_id, tags=(tag,), certificate=client_certificate)
        result = nrfcloud.core.onboard([row])
        assert not result.errors

    return onboard


@pytest.mark.proves("rule", "made after the claim, applied at the next contact")
def test_rule_made_after_the_claim(
    board: LeasedBoard, nrfcloud: Any, tag: Any, tagged: Any, sec_tag: int, root_ca: str, has_ca: Any
) -> None:
    """A board that was claimed and online before gets a rule that its group is given later."""
    assert not board.driver.provision().finished
    commands = [ServerCertificate(sec_tag=sec_tag, content=root_ca)]
    nrfcloud.create_rule(nrfcloud.own_name("late"), commands, [tag.name])

    board.driver.provision()

    assert has_ca(root_ca)


@pytest.mark.proves("rule", "several for one device, all applied")
def test_several_rules_of_one_device(
    board: LeasedBoard,
    nrfcloud: Any,
    tag: Any,
    rule: Any,
    client_certificate: str,
    sec_tag: int,
    root_ca: str,
    held: Any,
) -> None:
    """A board in the groups of two rules, and twice in the group of one, gets both."""
    other = nrfcloud.create_tag(nrfcloud.own_name("other"))
    commands = [ClientCertificate(sec_tag=sec_tag, content=client_certificate)]
    nrfcloud.create_rule(nrfcloud.own_name("second"), commands, [other.name, tag.name])
    nrfcloud.claim(board.driver.attestation_token(), tags=[tag.name, other.name])

    board.driver.provision()

    assert held(sec_tag) == {
        CredentialType.ROOT_CA: pem_digest(root_ca),
        CredentialType.CLIENT_CERT: pem_digest(client_certificate),
    }


@pytest.mark.backend(needs={"rule-details"})
@pytest.mark.proves("rule", "of several tags, applied to a device with any of them")
def test_rule_of_several_tags(
    board: LeasedBoard, nrfcloud: Any, tag: Any, tagged: Any, sec_tag: int, root_ca: str, has_ca: Any
) -> None:
    """A board that is in one of the groups of a rule gets it: it need not be in all of them."""
    other = nrfcloud.create_tag(nrfcloud.own_name("other"))
    commands = [ServerCertificate(sec_tag=sec_tag, content=root_ca)]
    nrfcloud.create_rule(nrfcloud.own_name("either"), commands, [other.name, tag.name])
    assert tagged.tags == (tag.name,)

    board.driver.provision()

    assert has_ca(root_ca)


@pytest.mark.backend(needs={"rule-details", "command-list"})
@pytest.mark.proves("rule", "several for one device, in the order of creation, one finished behind all")
def test_order_of_several_rules(
    board: LeasedBoard,
    nrfcloud: Any,
    tag: Any,
    sec_tag: int,
    root_cas: tuple[str, ...],
    has_ca: Any,
    types_of: Any,
) -> None:
    """Rules apply in the order of their creation: the board ends with what the last of them wrote."""
    for number, root_ca in enumerate(root_cas):
        commands = [ServerCertificate(sec_tag=sec_tag, content=root_ca)]
        nrfcloud.create_rule(nrfcloud.own_name(str(number)), commands, [tag.name])
    device = nrfcloud.claim(board.driver.attestation_token(), tags=[tag.name])

    assert board.driver.provision().finished

    assert types_of(device) == [CommandType.SERVER_CERTIFICATE] * 3 + [CommandType.FINISHED]
    assert has_ca(root_cas[-1])
    assert device.refresh().status is DeviceStatus.PROVISIONED


@pytest.mark.backend(needs={"rule-details", "command-list"})
@pytest.mark.proves("rule", "its own finished is not doubled")
def test_rule_that_ends_with_finished(
    board: LeasedBoard, nrfcloud: Any, tag: Any, tagged: Any, types_of: Any
) -> None:
    """A rule that says ``finished`` itself gives one and not two."""
    commands = [Configuration({"by": "rule"}), Finished()]
    nrfcloud.create_rule(nrfcloud.own_name("whole"), commands, [tag.name])

    assert board.driver.provision().finished

    assert types_of(tagged) == [CommandType.CONFIG, CommandType.FINISHED]
    assert board.driver.provision().event == "NO_COMMANDS"


@pytest.mark.backend(needs={"rule-details", "command-list"})
@pytest.mark.proves("rule", "behind commands that were there before")
def test_rule_comes_behind_waiting_commands(
    board: LeasedBoard,
    tagged: Any,
    rule: Any,
    sec_tag: int,
    root_cas: tuple[str, ...],
    root_ca: str,
    has_ca: Any,
    types_of: Any,
) -> None:
    """Commands that wait when the board comes online run before those of its rule."""
    tagged.add_command(ServerCertificate(sec_tag=sec_tag, content=root_cas[2]))

    assert board.driver.provision().finished

    assert types_of(tagged) == [CommandType.SERVER_CERTIFICATE] * 2 + [CommandType.FINISHED]
    assert has_ca(root_ca)


@pytest.mark.backend(needs={"rule-details", "command-list"})
@pytest.mark.proves("rule", "waits while the queue has no room for it")
def test_rule_without_room_in_the_queue(
    board: LeasedBoard, tagged: Any, rule: Any, root_ca: str, has_ca: Any, types_of: Any
) -> None:
    """A device never has more than 20 open commands: its rule waits until the others are done."""
    for number in range(19):
        tagged.add_command(Configuration({f"waits-{number}": "yes"}))

    board.driver.provision()

    assert board.driver.provision().event in {"DONE", "NO_COMMANDS"}
    assert types_of(tagged) == [CommandType.CONFIG] * 19 + [
        CommandType.SERVER_CERTIFICATE,
        CommandType.FINISHED,
    ]
    assert {command.status for command in tagged.commands()} == {CommandStatus.SUCCEEDED}
    assert has_ca(root_ca)


@pytest.mark.backend(needs={"rule-details", "command-list"})
@pytest.mark.proves("rule", "19 commands and finished, split over fetches")
def test_rule_of_nineteen_commands(board: LeasedBoard, nrfcloud: Any, tag: Any, tagged: Any) -> None:
    """The largest rule reaches the board whole, in as many batches as it takes."""
    commands = [Configuration({f"setting-{number}": "on"}) for number in range(19)]
    nrfcloud.create_rule(nrfcloud.own_name("largest"), commands, [tag.name])

    assert board.driver.provision().finished

    assert [command.status for command in tagged.commands()] == [CommandStatus.SUCCEEDED] * 20


@pytest.mark.backend(needs={"rule-details", "command-control"})
@pytest.mark.board(needs={"certificate-check"})
@pytest.mark.proves("rule", "withheld from a device in ERROR until it is reset or discarded")
def test_rule_of_a_device_in_error(
    board: LeasedBoard,
    nrfcloud: Any,
    tag: Any,
    tagged: Any,
    sec_tag: int,
    root_ca: str,
    has_ca: Any,
    held: Any,
) -> None:
    """A device whose command failed gets no rule before somebody has seen to it."""
    tagged.add_command(ServerCertificate(sec_tag=sec_tag, content="no certificate"))
    board.driver.provision()
    assert tagged.refresh().status is DeviceStatus.ERROR
    commands = [ServerCertificate(sec_tag=sec_tag, content=root_ca)]
    nrfcloud.create_rule(nrfcloud.own_name("late"), commands, [tag.name])

    board.driver.provision()
    assert held(sec_tag) == {}
    assert len(tagged.commands()) == 1

    tagged.discard()
    assert board.driver.provision().finished
    assert has_ca(root_ca)
    assert tagged.refresh().status is DeviceStatus.PROVISIONED


@pytest.mark.backend(needs={"teams"})
@pytest.mark.proves("rule", "not applied to devices of another team")
def test_rule_of_another_team(
    board: LeasedBoard, nrfcloud: Any, tag: Any, rule: Any, refused: Any, held: Any, sec_tag: int
) -> None:
    """Another team does not see our rule; its board with a tag of the same name gets nothing of it."""
    other = nrfcloud.another_team()
    other.create_tag(tag.name)
    other.claim(board.driver.attestation_token(), tags=[tag.name])

    assert not board.driver.provision().finished

    assert other.rules() == []
    assert held(sec_tag) == {}
    body = {"name": rule.name, "description": "", "active": False, "commands": [], "tags": [tag.name]}
    theirs = other.raw.request("POST", "/v1/provisioning-rules", json=body)
    assert theirs.status_code == 201, "a name is taken in the team that has it, and in no other"
    if "rule-control" in nrfcloud.capabilities:
        with refused(404):
            other.delete_rule(rule.id)


@pytest.mark.proves("rule", "carried out by either agent")
def test_rule_with_either_agent(
    agent: Any, rule: Any, tagged: Any, root_ca: str, held: Any, sec_tag: int, as_written: Any
) -> None:
    """A rule reaches a board through its own agent and through the one on the host alike."""
    agent.provision()

    assert held(sec_tag) == {CredentialType.ROOT_CA: as_written(root_ca)}
