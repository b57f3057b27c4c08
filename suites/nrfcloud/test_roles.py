"""Roles: a viewer reads everything and changes nothing; editors, admins and owners do all of it.

Each operation is tried with each role, in a team that no other test uses (nrfcloud fact sheet, sections 2.1
and 2.6).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.client_core_models import OnboardingRow
from harness_nordic.client_requests import Configuration, Finished, ServerCertificate
from harness_nordic.enums import DeviceStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.inventory.leased_board import LeasedBoard

pytestmark = [
    pytest.mark.board(driver="nrf91", needs={"attestation"}),
    pytest.mark.backend(needs={"exact-status", "teams"}),
]

DEVICES = "/v1/claimed-devices"
RULES = "/v1/provisioning-rules"
MEMBERS = ("owner", "admin", "editor")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A call that members of a team make.

    :ivar path: with names of what the team has in braces.
    :ivar status: of the answer to somebody who may.
    :ivar sent: the body, as httpx takes it; texts in it have names in braces, too.
    """

    name: str
    method: str
    path: str
    status: int
    sent: dict[str, Any] = field(default_factory=dict)

    def send(self, client: Any, names: dict[str, str]) -> Any:
        """Send it as a client's team, about what the team has."""
        return client.raw.request(self.method, self.path.format(**names), **_filled(self.sent, names))


def _filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, names) for each in value]
    return names.get(value[1:-1], value) if isinstance(value, str) else value


CONFIG = {"config": {"properties": {"key": "value"}}}
TAG = {"tag": "new", "description": "made by a member"}
RULE = {"name": "new", "description": "", "active": False, "commands": [{"request": CONFIG}], "tags": ["old"]}
CSV = {"Content-Type": "text/csv"}

CHANGES = (
    Operation(
        name="claim", method="POST", path=DEVICES, status=201, sent={"json": {"claimToken": "{token}"}}
    ),
    Operation(
        name="dry run",
        method="POST",
        path=DEVICES,
        status=202,
        sent={"json": {"claimToken": "{token}"}, "params": {"dryrun": "true"}},
    ),
    Operation(
        name="bulk claim",
        method="POST",
        path=DEVICES,
        status=200,
        sent={"content": "{token}", "headers": CSV},
    ),
    Operation(name="unclaim", method="DELETE", path=DEVICES + "/{device}", status=204),
    Operation(name="block", method="POST", path=DEVICES + "/{device}/block", status=204),
    Operation(name="unblock", method="POST", path=DEVICES + "/{device}/unblock", status=204),
    Operation(
        name="command",
        method="POST",
        path=DEVICES + "/{device}/provisioning",
        status=201,
        sent={"json": {"request": CONFIG}},
    ),
    Operation(
        name="delete command", method="DELETE", path=DEVICES + "/{device}/provisioning/{command}", status=204
    ),
    Operation(name="reset", method="POST", path=DEVICES + "/{device}/provisioning/reset", status=204),
    Operation(name="discard", method="POST", path=DEVICES + "/{device}/provisioning/discard", status=204),
    Operation(
        name="tag device", method="PUT", path=DEVICES + "/{device}", status=200, sent={"json": {"tags": []}}
    ),
    Operation(name="create tag", method="POST", path=DEVICES + "/tags", status=201, sent={"json": TAG}),
    Operation(name="create tag", method="POST", path="/v1/provisioning/tags", status=201, sent={"json": TAG}),
    Operation(name="update tag", method="PUT", path=DEVICES + "/tags/{tag}", status=200, sent={"json": TAG}),
    Operation(name="delete tag", method="DELETE", path=DEVICES + "/tags/{tag}", status=204),
    Operation(name="create rule", method="POST", path=RULES, status=201, sent={"json": RULE}),
    Operation(
        name="activate rule",
        method="PUT",
        path=RULES + "/{rule}",
        status=200,
        sent={"json": {"active": True}},
    ),
    Operation(name="delete rule", method="DELETE", path=RULES + "/{rule}", status=204),
    Operation(
        name="onboard",
        method="POST",
        path="/v1/devices",
        status=202,
        sent={"content": "{row}", "headers": CSV},
    ),
    Operation(name="delete onboarded device", method="DELETE", path="/v1/devices/{core}", status=204),
    Operation(
        name="device state",
        method="PATCH",
        path="/v1/devices/{core}/state",
        status=202,
        sent={"json": {"desired": {"led": "on"}}},
    ),
    Operation(
        name="device name", method="PUT", path="/v1/devices/{core}/name", status=202, sent={"json": ["Hugo"]}
    ),
    Operation(
        name="update job",
        method="POST",
        path="/v1/fota-jobs",
        status=201,
        sent={"json": {"bundleId": "{bundle}", "tags": ["any"]}},
    ),
)
READS = (
    Operation(name="list", method="GET", path=DEVICES, status=200),
    Operation(name="get", method="GET", path=DEVICES + "/{device}", status=200),
    Operation(name="list commands", method="GET", path=DEVICES + "/{device}/provisioning", status=200),
    Operation(
        name="read command", method="GET", path=DEVICES + "/{device}/provisioning/{command}", status=200
    ),
    Operation(name="list tags", method="GET", path=DEVICES + "/tags", status=200),
    Operation(name="list tags", method="GET", path="/v1/provisioning/tags", status=200),
    Operation(name="read tag", method="GET", path=DEVICES + "/tags/{tag}", status=200),
    Operation(name="tags of a device", method="GET", path=DEVICES + "/tags/{device}", status=200),
    Operation(name="list rules", method="GET", path=RULES, status=200),
    Operation(name="read rule", method="GET", path=RULES + "/{rule}", status=200),
    Operation(name="list onboarded devices", method="GET", path="/v1/devices", status=200),
    Operation(name="read onboarded device", method="GET", path="/v1/devices/{core}", status=200),
    Operation(name="bulk operation", method="GET", path="/v1/bulk-ops-requests/{operation}", status=200),
    Operation(name="account", method="GET", path="/v1/account", status=200),
    Operation(name="firmwares", method="GET", path="/v1/firmwares", status=200),
    Operation(name="update jobs", method="GET", path="/v1/fota-jobs", status=200),
)


def each_of(operations: Iterable[Operation], outcome: str) -> list[Any]:
    """Make a parameter of each operation, which proves an outcome of it."""
    return [
        pytest.param(
            operation,
            id=operation.name,
            marks=pytest.mark.proves(operation.name, outcome),
        )
        for operation in operations
    ]


@dataclass(frozen=True, kw_only=True)
class Team:
    """A team that has one of everything.

    :ivar owner: its owner's client.
    :ivar names: what it has, by the names in the paths.
    """

    owner: Any
    names: dict[str, str]

    def everything(self) -> list[Any]:
        """Return all that can be read of what it has."""
        return [
            operation.send(self.owner, self.names).json()
            for operation in READS
            if operation.name != "bulk operation"
        ]


@pytest.fixture
def team(board: LeasedBoard, nrfcloud: Any, siblings: Any, client_certificate: str) -> Team:
    """Make a team of the test's own that has a device, a command, a tag, a rule and an onboarded device.

    The device is a sibling: the board itself is left for whoever is to claim.
    """
    owner = nrfcloud.another_team()
    (sibling,) = siblings(1)

    def made(path: str, body: dict[str, Any]) -> str:
        answer = owner.raw.request("POST", path, json=body)
        assert answer.status_code == 201, answer.text
        identifier: str = answer.json()["id"]
        return identifier

    tag = made(DEVICES + "/tags", {"tag": "old", "description": ""})
    device = owner.claim(sibling.token, tags=["old"])
    rule = made(RULES, {**RULE, "name": "old"})
    onboarded = owner.core.onboard([OnboardingRow(id="core-1", certificate=client_certificate)])
    return Team(
        owner=owner,
        names={
            "token": board.driver.attestation_token(),
            "row": OnboardingRow(id="core-2", certificate=client_certificate).text(),
            "device": device.id,
            "command": device.add_command(Finished()).id,
            "tag": tag,
            "rule": rule,
            "core": "core-1",
            "operation": onboarded.operation_id,
            "bundle": owner.core.firmwares()[0].id,
        },
    )


@pytest.mark.parametrize("operation", each_of(CHANGES, "403 with the key of a viewer, nothing changes"))
def test_viewer_changes_nothing(team: Team, operation: Operation) -> None:
    """A viewer is refused, with the reason, and everything is as it was."""
    before = team.everything()

    answer = operation.send(team.owner.colleague("viewer"), team.names)

    assert answer.status_code == 403
    assert answer.json()["message"]
    assert team.everything() == before


@pytest.mark.parametrize("operation", each_of(READS, "200 with the key of a viewer"))
def test_viewer_reads(team: Team, operation: Operation) -> None:
    """A viewer reads what an owner reads."""
    answer = operation.send(team.owner.colleague("viewer"), team.names)

    assert answer.status_code == operation.status
    if operation.name != "account":  # that tells whose key it is
        assert answer.json() == operation.send(team.owner, team.names).json()


@pytest.mark.parametrize("role", MEMBERS)
@pytest.mark.parametrize(
    "operation", each_of(CHANGES, "done with the key of an owner, an admin or an editor")
)
def test_members_change(team: Team, operation: Operation, role: str) -> None:
    """Whoever is no viewer may do everything."""
    before = team.everything()

    answer = operation.send(team.owner.colleague(role), team.names)

    assert answer.status_code == operation.status
    unchanging = {"dry run", "unblock", "reset"}  # there is nothing to unblock, and nothing has failed
    assert (team.everything() == before) is (operation.name in unchanging)


@pytest.mark.parametrize("operation", each_of(READS, "200 with the key of an owner, an admin or an editor"))
def test_members_read(team: Team, operation: Operation) -> None:
    """Whoever is no viewer may read everything, too, and reads the same."""
    expected = operation.send(team.owner, team.names)

    answers = [operation.send(team.owner.colleague(role), team.names) for role in ("admin", "editor")]

    assert [answer.status_code for answer in answers] == [operation.status] * 2
    if operation.name != "account":
        assert [answer.json() for answer in answers] == [expected.json()] * 2


def without_a_key(operation: Operation) -> Operation:
    """Return the same call by somebody who has no key."""
    headers = {**operation.sent.get("headers", {}), "Authorization": "Bearer no"}
    return replace(operation, status=401, sent={**operation.sent, "headers": headers})


@pytest.mark.parametrize("operation", each_of(CHANGES, "401 without a key, nothing changes"))
def test_nobody_changes_anything(team: Team, operation: Operation) -> None:
    """Without a key nothing is changed."""
    before = team.everything()

    assert without_a_key(operation).send(team.owner, team.names).status_code == 401
    assert team.everything() == before


@pytest.mark.proves("read", "401 without a key, whatever is asked for")
def test_nobody_reads_anything(team: Team) -> None:
    """Without a key nothing is read."""
    answers = {each.name: without_a_key(each).send(team.owner, team.names) for each in READS}

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 401)
    assert all(set(answer.json()) == {"message", "code"} for answer in answers.values())


@pytest.mark.proves("account", "200, the role of the key and the team's id")
def test_account_tells_whose_key_it_is(board: LeasedBoard, nrfcloud: Any) -> None:
    """Every key tells its own role, and the one team of all."""
    for role in (*MEMBERS, "viewer"):
        answer = nrfcloud.colleague(role).raw.request("GET", "/v1/account").json()

        assert answer == {"team": {"tenantId": nrfcloud.owner_id}, "role": role}


@pytest.mark.proves("command", "403 with the key of a viewer, the board executes nothing of it")
def test_viewers_command_never_reaches_the_board(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, sec_tag: int, root_ca: str, held: Any
) -> None:
    """What a viewer was refused, the board never hears of."""
    viewer = nrfcloud.colleague("viewer")
    request = {"serverCertificate": ServerCertificate(sec_tag=sec_tag, content=root_ca).fields()}

    answer = viewer.raw.request("POST", f"{DEVICES}/{claimed.id}/provisioning", json={"request": request})

    assert answer.status_code == 403
    assert not board.driver.provision().finished
    assert held(sec_tag) == {}
    assert viewer.device(claimed.id).status is DeviceStatus.READY


@pytest.mark.parametrize("role", MEMBERS)
@pytest.mark.proves("command", "201 with the key of an owner, an admin or an editor, the board executes it")
def test_members_command_is_executed(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, agent: Any, role: str
) -> None:
    """A command of any member but a viewer is done by the board, whoever claimed it."""
    colleague = nrfcloud.colleague(role)
    colleague.device(claimed.id).add_command(Configuration({"from": role}))

    agent.provision()

    assert agent.stored()["from"] == role
    assert claimed.refresh().status is DeviceStatus.PROVISIONED


@pytest.mark.proves("claim", "a key of another team is no key of ours, whatever its role")
@pytest.mark.parametrize("role", [*MEMBERS, "viewer"])
def test_role_in_another_team_is_worth_nothing(team: Team, nrfcloud: Any, role: str) -> None:
    """Nothing of a team is found by a member of another one."""
    stranger = nrfcloud.another_team(role=role)
    named = [each for each in (*READS, *CHANGES) if "{" in each.path]
    before = team.everything()

    statuses = {operation.send(stranger, team.names).status_code for operation in named}

    assert statuses <= {403, 404}
    assert team.everything() == before
