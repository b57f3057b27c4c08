"""Onboarding while claiming: a rule, its provisioning group, and the device on the Devices page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.client_rules import Authorities, OnboardingCertificates
from harness_nordic.digests import pem_digests
from harness_nordic.enums import CommandStatus, CommandType, CredentialType, DeviceStatus, FirmwareType

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.inventory.leased_board import LeasedBoard

pytestmark = [
    pytest.mark.board(driver="nrf91", needs={"attestation"}),
    pytest.mark.backend(needs={"onboarding", "rules"}),
]

KEYS = [CommandType.CLIENT_PRIVATE_KEY_GENERATION, CommandType.CLOUD_ACCESS_KEY_GENERATION]


@pytest.fixture
def authorities(material: Path) -> Authorities:
    """Two CA certificates of the size of the real ones: 1188 and 603 characters, 1792 together."""
    return Authorities(
        aws=(material / "onboarding-aws.pem").read_text(), coap=(material / "onboarding-coap.pem").read_text()
    )


@pytest.fixture
def make_rule(nrfcloud: Any, authorities: Authorities, sec_tag: int) -> Callable[..., Any]:
    """Make the rule that the portal makes; it writes to a security tag that suites may use."""

    def make(**options: Any) -> Any:
        return nrfcloud.auto_onboard(
            name=nrfcloud.own_name("onboarding"), authorities=authorities, sec_tag=sec_tag, **options
        )

    return make


@pytest.fixture
def onboarded(board: LeasedBoard, nrfcloud: Any) -> Callable[[Any], Any]:
    """Claim the board with a rule and let it provision; return the claimed device."""

    def onboard(rule: Any) -> Any:
        device = nrfcloud.claim_with_rule(board.driver.attestation_token(), rule)
        assert board.driver.provision().finished
        return device.refresh()

    return onboard


@pytest.mark.proves("auto-onboarding", "the rule is active at once and has a provisioning group of its name")
def test_rule_of_an_onboarding(nrfcloud: Any, make_rule: Any) -> None:
    """The rule can be found by its name, devices get it at once, and its group is there."""
    rule = make_rule()

    found = nrfcloud.rule(rule.name)
    assert found.active
    assert found.tags == (rule.name,)
    assert nrfcloud.tag(rule.name).devices() == []


@pytest.mark.backend(needs={"core-details"})
@pytest.mark.proves(
    "auto-onboarding",
    "PROVISIONED, every command SUCCEEDED, in the device list with subtype, types and group",
)
def test_device_is_onboarded(nrfcloud: Any, make_rule: Any, onboarded: Any) -> None:
    """What the portal lets one choose is what the Devices page shows after the board has provisioned."""
    rule = make_rule(
        group="sensors", firmware_types=[FirmwareType.MODEM, FirmwareType.BOOT], sub_type="thermometer"
    )

    device = onboarded(rule)

    assert device.status is DeviceStatus.PROVISIONED
    assert {command.status for command in device.commands()} == {CommandStatus.SUCCEEDED}
    (listed,) = [each for each in nrfcloud.core.devices() if each.id == device.id]
    assert listed.sub_type == "thermometer"
    assert listed.firmware_types == ("MODEM", "BOOT")
    assert listed.groups == ("sensors",)


@pytest.mark.proves("auto-onboarding", "the device joins the provisioning group of its rule")
def test_device_joins_the_group(nrfcloud: Any, make_rule: Any, onboarded: Any) -> None:
    """The claimed device is in the rule's group, alone; the group is no tag of the core."""
    rule = make_rule()

    device = onboarded(rule)

    assert device.tags == (rule.name,)
    assert [each.id for each in nrfcloud.tag(rule.name).devices()] == [device.id]
    assert nrfcloud.core.device(device.id).tags == ()
    assert rule.name not in nrfcloud.core.device(device.id).groups


@pytest.mark.parametrize(
    ("choice", "texts"),
    [
        pytest.param(OnboardingCertificates.ALL, ("aws", "coap"), id="All"),
        pytest.param(OnboardingCertificates.AWS, ("aws",), id="AWS"),
        pytest.param(OnboardingCertificates.COAP, ("coap",), id="CoAP"),
    ],
)
@pytest.mark.proves("auto-onboarding", "the certificates of the choice, and no others, on the board")
def test_certificates_of_the_choice(
    make_rule: Any, onboarded: Any, authorities: Authorities, held: Any, sec_tag: int, choice: Any, texts: Any
) -> None:
    """The board holds a client key and exactly the CA certificates that were chosen."""
    onboarded(make_rule(certificates=choice))

    expected = "\n".join(getattr(authorities, text) for text in texts)
    found = held(sec_tag)
    assert set(found) == {CredentialType.ROOT_CA, CredentialType.CLIENT_KEY}
    assert found[CredentialType.ROOT_CA] in pem_digests(expected)


@pytest.mark.backend(needs={"command-list", "rule-details"})
@pytest.mark.proves("auto-onboarding", "client key, access key, certificates, finished; in this order")
def test_commands_of_an_onboarding(
    nrfcloud: Any, make_rule: Any, onboarded: Any, authorities: Authorities, sec_tag: int
) -> None:
    """The commands are those of the rule that Nordic's own client makes, of the same size."""
    device = onboarded(make_rule())

    commands = device.commands()
    types = [*KEYS, CommandType.SERVER_CERTIFICATE, CommandType.FINISHED]
    assert [command.type for command in commands] == types
    assert {command.request[command.type]["secTag"] for command in commands[:3]} == {sec_tag}
    content = commands[2].request[CommandType.SERVER_CERTIFICATE]["content"]
    assert len(content) == 1792
    assert content.startswith(authorities.aws)
    assert content.endswith(authorities.coap)


@pytest.mark.backend(needs={"command-list", "rule-details"})
@pytest.mark.proves("auto-onboarding", "None: no certificates and no keys, onboarded all the same")
def test_onboarding_without_certificates(
    nrfcloud: Any, make_rule: Any, onboarded: Any, held: Any, sec_tag: int
) -> None:
    """The choice None gives the board nothing but ``finished``."""
    device = onboarded(make_rule(certificates=OnboardingCertificates.NONE))

    assert [command.type for command in device.commands()] == [CommandType.FINISHED]
    assert held(sec_tag) == {}
    assert nrfcloud.core.has(device.id)


@pytest.mark.proves("auto-onboarding", "not onboarded before the board has provisioned")
def test_claimed_device_is_not_onboarded_yet(
    board: LeasedBoard, nrfcloud: Any, make_rule: Any, held: Any, sec_tag: int
) -> None:
    """A claim alone onboards nothing: the Devices page shows a device when its board is done."""
    device = nrfcloud.claim_with_rule(board.driver.attestation_token(), make_rule())

    assert device.status is DeviceStatus.READY
    assert not nrfcloud.core.has(device.id)
    assert held(sec_tag) == {}

    assert board.driver.provision().finished
    assert nrfcloud.core.has(device.id)


@pytest.mark.backend(needs={"command-control"})
@pytest.mark.proves("auto-onboarding", "not onboarded when a command failed, onboarded after its reset")
def test_onboarding_that_fails(
    board: LeasedBoard, nrfcloud: Any, make_rule: Any, authorities: Authorities, held: Any, sec_tag: int
) -> None:
    """A board that cannot write its certificate is not onboarded before the commands are reset and done."""
    if not board.description.virtual:
        pytest.skip("only a virtual board can be told to fail")
    device = nrfcloud.claim_with_rule(board.driver.attestation_token(), make_rule())
    board.virtual.call("fail_next", command="AT%CMNG=0", outcome=515)

    assert not board.driver.provision().finished
    assert device.refresh().status is DeviceStatus.ERROR
    assert not nrfcloud.core.has(device.id)

    device.reset()
    assert board.driver.provision().finished
    assert nrfcloud.core.has(device.id)
    joined = f"{authorities.aws}\n{authorities.coap}"
    assert held(sec_tag)[CredentialType.ROOT_CA] in pem_digests(joined)


@pytest.mark.proves("auto-onboarding", "with an existing rule, by its name")
def test_existing_rule_by_name(
    board: LeasedBoard, nrfcloud: Any, make_rule: Any, held: Any, sec_tag: int
) -> None:
    """A rule that is there already is named when the device is claimed; nothing new is made."""
    name = make_rule(sub_type="known").name
    before = len(nrfcloud.rules())

    device = nrfcloud.claim_with_rule(board.driver.attestation_token(), name)
    assert board.driver.provision().finished

    assert len(nrfcloud.rules()) == before
    assert device.refresh().tags == (name,)
    assert nrfcloud.core.device(device.id).sub_type == "known"
    assert set(held(sec_tag)) == {CredentialType.ROOT_CA, CredentialType.CLIENT_KEY}


@pytest.mark.proves("auto-onboarding", "409 for a rule name that is taken")
def test_name_of_an_onboarding_is_unique(
    nrfcloud: Any, make_rule: Any, authorities: Authorities, sec_tag: int, refused: Any
) -> None:
    """A second onboarding of one name is refused."""
    rule = make_rule()

    with refused(409):
        nrfcloud.auto_onboard(name=rule.name, authorities=authorities, sec_tag=sec_tag)

    assert [each.name for each in nrfcloud.rules()].count(rule.name) == 1


@pytest.mark.backend(needs={"rule-control"})
@pytest.mark.proves("auto-onboarding", "409 to edit its rule")
def test_rule_of_an_onboarding_is_not_edited(make_rule: Any, refused: Any) -> None:
    """Rules made while claiming are active at once, and active rules are not edited."""
    rule = make_rule()

    with refused(409):
        rule.change(onboarding={"subType": "another"})

    assert rule.refresh().onboarding.sub_type == ""


@pytest.mark.backend(needs={"exact-status", "factory"})
@pytest.mark.proves("auto-onboarding", "of more devices by the group of the rule")
def test_group_is_used_for_more_devices(
    board: LeasedBoard, nrfcloud: Any, make_rule: Any, onboarded: Any, siblings: Any
) -> None:
    """The group can be used later to add devices: their claims need its tag and nothing else."""
    rule = make_rule()
    first = onboarded(rule)
    (sibling,) = siblings(1)

    second = nrfcloud.claim_with_rule(sibling.token, rule.name)

    assert {device.id for device in nrfcloud.tag(rule.name).devices()} == {first.id, second.id}
    assert second.status is DeviceStatus.READY


@pytest.mark.proves("unclaim", "204, an onboarded device stays in the device list until it is deleted there")
def test_onboarded_device_outlives_its_claim(nrfcloud: Any, make_rule: Any, onboarded: Any) -> None:
    """Unclaiming does not delete from device management; a delete there does."""
    device = onboarded(make_rule(sub_type="kept"))

    device.unclaim()
    assert nrfcloud.core.device(device.id).sub_type == "kept"

    nrfcloud.core.device(device.id).delete()
    assert not nrfcloud.core.has(device.id)


@pytest.mark.proves("auto-onboarding", "again after an unclaim: the device is there once")
def test_onboarded_again(board: LeasedBoard, nrfcloud: Any, make_rule: Any, onboarded: Any) -> None:
    """A device that is onboarded anew is what the last onboarding made of it, and no second one."""
    onboarded(make_rule(sub_type="first", group="old")).unclaim()

    device = onboarded(make_rule(sub_type="second", group="new"))

    listed = [each for each in nrfcloud.core.devices() if each.id == device.id]
    assert [each.sub_type for each in listed] == ["second"]
    assert "new" in listed[0].groups


@pytest.mark.proves("auto-onboarding", "carried out by either agent")
def test_onboarding_with_either_agent(
    agent: Any, board: LeasedBoard, nrfcloud: Any, make_rule: Any, held: Any, sec_tag: int
) -> None:
    """The board's own agent and the one on the host onboard it alike."""
    device = nrfcloud.claim_with_rule(board.driver.attestation_token(), make_rule())

    assert agent.provision().finished

    assert device.refresh().status is DeviceStatus.PROVISIONED
    assert set(held(sec_tag)) == {CredentialType.ROOT_CA, CredentialType.CLIENT_KEY}
    assert nrfcloud.core.has(device.id)
