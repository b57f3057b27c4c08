"""Every command of the service's guide to its API, by curl: over plain HTTP, and over TLS at its own host."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.clients import documented
from tests.nordic.paper_device import PaperDevice

if TYPE_CHECKING:
    from harness_nordic.client import NrfCloudClient
    from harness_nordic.client_objects import ClaimedDevice
    from tests.clients.transcripts import Transcript
    from tests.clients.world import World

FIRST = "4961c873-408c-45ce-b1ba-7c0d99d88179"
SECOND = "30672d4b-fb35-4856-a1f4-473ca53a2f0d"
EXAMPLE_ATTRIBUTES = [
    "id",
    "deviceType",
    "firmwareId",
    "imei",
    "ownerId",
    "ownershipStatus",
    "tags",
    "status",
    "claimedAt",
]
"""Those of the guide's example of an answer."""


class Answer(NamedTuple):
    """What curl printed."""

    status: int
    body: str

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class Shell:
    """Runs the guide's commands as a reader pastes them."""

    def __init__(self, world: World, host: str, api_key: str) -> None:
        self._world = world
        self._host = host
        self._variables = {"API_HOST": host, "API_KEY": api_key, "PATH_TO_CSV_FILE": "tokens.csv"}
        # Nothing of this is in the commands: no progress is shown, and the status stands behind the body.
        (world.directory / ".curlrc").write_text('silent\nshow-error\nwrite-out = "\\n%{http_code}"\n')

    def paste(self, command: str) -> Answer:
        """Run a command; its only change is the host."""
        ran = self._world.run("bash", "-c", command.replace(documented.HOST, self._host), env=self._variables)
        assert ran.status == 0, ran.output
        body, _, status = ran.output.rpartition("\n")
        return Answer(int(status), body)

    def file(self, text: str) -> None:
        """Write the file of the bulk claim."""
        (self._world.directory / "tokens.csv").write_text(text)


@pytest.fixture(params=["http", "tls"])
def shell(request: pytest.FixtureRequest, world: World, team: NrfCloudClient, api_key: str) -> Shell:
    """A shell whose commands reach the fake over plain HTTP, or over TLS at the real service's own host."""
    return Shell(world, team.backend.url if request.param == "http" else documented.HOST, api_key)


@pytest.fixture
def tokens(team: NrfCloudClient, transcript: Transcript) -> dict[str, str]:
    """Tokens of our own for the guide's devices, by the guide's tokens: its own signatures are none."""
    found = {}
    for uuid, printed in ((FIRST, documented.TOKEN), (SECOND, documented.ROW_TOKEN)):
        paper = PaperDevice()
        paper.id = uuid
        team.enrol(paper.record(device_type=3))
        found[printed] = paper.token(device_type=3)
        transcript.secret(found[printed], f"token of {uuid}")
    return found


@pytest.fixture
def device(team: NrfCloudClient) -> ClaimedDevice:
    """The device of the guide's later commands, claimed."""
    paper = PaperDevice()
    paper.id = documented.DEVICE
    team.enrol(paper.record())
    return team.claim(paper.token(), tags=["location=Oslo"])


@pytest.fixture
def tag(shell: Shell) -> str:
    """The id of the guide's tag, defined by the guide's command."""
    return str(shell.paste(documented.DEFINE_TAG).json["id"])


def with_id(command: str, own: str) -> str:
    """Return a command with an id that the service gave, in place of the guide's."""
    return command.replace(documented.ID, own)


def test_claim_as_printed(shell: Shell, team: NrfCloudClient, tokens: dict[str, str]) -> None:
    """As printed the body is no JSON, because a backslash stands in it; nothing is claimed."""
    answer = shell.paste(documented.CLAIM)

    assert answer.status == 400
    assert "message" in answer.json
    assert team.devices() == []


def test_claim_with_the_token_as_printed(shell: Shell, team: NrfCloudClient, tokens: dict[str, str]) -> None:
    """Without the backslash the body is well, and the token is refused: its signature is none."""
    answer = shell.paste(documented.REPAIRED_CLAIM)

    assert answer.status == 422
    assert "message" in answer.json
    assert team.devices() == []


def test_claim(shell: Shell, team: NrfCloudClient, tokens: dict[str, str]) -> None:
    """With a token that is signed the command claims the guide's device; the answer has every attribute."""
    answer = shell.paste(documented.REPAIRED_CLAIM.replace(documented.TOKEN, tokens[documented.TOKEN]))

    assert answer.status == 201
    shown = answer.json
    assert {name: shown[name] for name in ("id", "deviceType", "ownershipStatus", "tags", "status")} == {
        "id": FIRST,
        "deviceType": "nrf9160_SICA",
        "ownershipStatus": "IDENTIFIED",
        "tags": ["location=Trondheim"],
        "status": "READY",
    }
    assert set(shown) == {*EXAMPLE_ATTRIBUTES}
    assert [each.id for each in team.devices()] == [FIRST]


@pytest.mark.parametrize("row", [documented.ROW, documented.REPAIRED_ROW], ids=["printed", "repaired"])
def test_bulk_claim_of_the_row_as_printed(
    shell: Shell, team: NrfCloudClient, tokens: dict[str, str], row: str
) -> None:
    """The row lacks a character of its token, and with it its signature is none: the request is well."""
    shell.file(row + "\n")
    answer = shell.paste(documented.BULK_CLAIM)

    assert answer.status == 200
    assert [failed["row"] for failed in answer.json["failed"]] == [1]
    assert team.devices() == []


def test_bulk_claim(shell: Shell, team: NrfCloudClient, tokens: dict[str, str]) -> None:
    """A row whose token is signed claims its device, with both tags; the lost line breaks do not matter."""
    shell.file(documented.ROW.replace(documented.ROW_TOKEN, tokens[documented.ROW_TOKEN]) + "\n")
    answer = shell.paste(documented.BULK_CLAIM)

    assert answer.status == 200
    assert answer.json["failed"] == []
    (claimed,) = team.devices()
    assert (claimed.id, set(claimed.tags)) == (SECOND, {"Oslo", "white"})


def test_bulk_claim_of_two_rows(shell: Shell, team: NrfCloudClient, tokens: dict[str, str]) -> None:
    """``-d`` runs two rows together: the error says so, and neither is claimed silently (section 2.4)."""
    shell.file("".join(f"{token}\n" for token in tokens.values()))
    answer = shell.paste(documented.BULK_CLAIM)

    assert answer.status == 200
    (failed,) = answer.json["failed"]
    assert failed["row"] == 1
    assert "run together" in failed["message"]
    assert team.devices() == []


def test_bulk_claim_with_line_breaks(shell: Shell, team: NrfCloudClient, tokens: dict[str, str]) -> None:
    """``--data-binary`` in place of ``-d`` leaves them, and both rows claim."""
    shell.file("".join(f"{token}\n" for token in tokens.values()))
    answer = shell.paste(documented.BULK_CLAIM.replace("-d @", "--data-binary @"))

    assert answer.status == 200
    assert answer.json["failed"] == []
    assert {each.id for each in team.devices()} == {FIRST, SECOND}


def test_define_tag(shell: Shell) -> None:
    """The new tag is in the list of all, with its description."""
    made = shell.paste(documented.DEFINE_TAG)
    listed = shell.paste(documented.LIST_TAGS)

    assert (made.status, listed.status) == (201, 200)
    (tag,) = listed.json["items"]
    assert tag == {
        "id": made.json["id"],
        "tag": "location=Trondheim",
        "description": "Devices deployed in Trondheim.",
    }


def test_define_tag_twice(shell: Shell, tag: str) -> None:
    """A name that is taken is refused, and there is one tag still."""
    assert shell.paste(documented.DEFINE_TAG).status == 409
    assert [each["id"] for each in shell.paste(documented.LIST_TAGS).json["items"]] == [tag]


def test_read_tag(shell: Shell, tag: str) -> None:
    """The command for details, with the id of a tag."""
    answer = shell.paste(with_id(documented.READ_TAGS, tag))

    assert answer.status == 200
    assert answer.json["tag"] == "location=Trondheim"


def test_read_tags_of_a_device(shell: Shell, device: ClaimedDevice) -> None:
    """The very same command with the id of a device."""
    answer = shell.paste(with_id(documented.READ_TAGS, device.id))

    assert answer.status == 200
    assert "location=Oslo" in answer.body


@pytest.mark.parametrize(
    "command",
    [documented.READ_TAGS, documented.UPDATE_TAG, documented.DELETE_TAG],
    ids=["read", "update", "delete"],
)
def test_id_of_nobody(shell: Shell, command: str) -> None:
    """As printed the commands name what this team has not."""
    assert shell.paste(command).status == 404


def test_update_tag(shell: Shell, team: NrfCloudClient, device: ClaimedDevice) -> None:
    """The new name shows on a device that had the old one."""
    (held,) = shell.paste(documented.LIST_TAGS).json["items"]
    assert held["tag"] == "location=Oslo"
    answer = shell.paste(with_id(documented.UPDATE_TAG, held["id"]))

    assert answer.status == 200
    assert answer.json["tag"] == "location=Trondheim"
    assert list(team.device(device.id).tags) == ["location=Trondheim"]


def test_delete_tag(shell: Shell, team: NrfCloudClient, device: ClaimedDevice) -> None:
    """The tag is taken from every device that had it."""
    (held,) = shell.paste(documented.LIST_TAGS).json["items"]
    answer = shell.paste(with_id(documented.DELETE_TAG, held["id"]))

    assert (answer.status, answer.body) == (204, "")
    assert shell.paste(documented.LIST_TAGS).json["items"] == []
    assert list(team.device(device.id).tags) == []


def test_list_devices(shell: Shell, device: ClaimedDevice) -> None:
    """Without filters every claimed device of the team is listed."""
    answer = shell.paste(documented.LIST_DEVICES)

    assert answer.status == 200
    assert [each["id"] for each in answer.json["items"]] == [documented.DEVICE]


def test_block_and_unblock(shell: Shell, team: NrfCloudClient, device: ClaimedDevice) -> None:
    """Both answer well, and the device is blocked in between."""
    blocked = shell.paste(documented.BLOCK)
    while_blocked = team.device(device.id).status.value
    unblocked = shell.paste(documented.UNBLOCK)

    assert (blocked.status, unblocked.status) == (204, 204)
    assert while_blocked == "BLOCKED"
    assert team.device(device.id).status.value == "READY"


def test_unclaim(shell: Shell, team: NrfCloudClient, device: ClaimedDevice) -> None:
    """The device is nobody's, and another team may claim it."""
    answer = shell.paste(documented.UNCLAIM)

    assert (answer.status, answer.body) == (204, "")
    assert team.devices() == []
    assert shell.paste(documented.UNCLAIM).status == 404


@pytest.mark.parametrize(
    "command",
    [documented.LIST_DEVICES, documented.LIST_TAGS, documented.UNCLAIM],
    ids=["list devices", "list tags", "unclaim"],
)
def test_wrong_key(world: World, team: NrfCloudClient, device: ClaimedDevice, command: str) -> None:
    """Who has no key of the service gets 401 and changes nothing."""
    answer = Shell(world, team.backend.url, "no-key-of-this-service").paste(command)

    assert answer.status == 401
    assert [each.id for each in team.devices()] == [documented.DEVICE]
