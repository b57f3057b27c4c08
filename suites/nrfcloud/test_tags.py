"""Tags: defined, given to devices, renamed, deleted; the portal calls them provisioning groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.client_requests import Configuration
from harness_nordic.enums import CommandStatus, DeviceStatus

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="nrf91", needs={"attestation"})

NOBODY = "00000000-0000-4000-8000-000000000000"
FAMILIES = ("/v1/claimed-devices/tags", "/v1/provisioning/tags")


@pytest.mark.proves("create tag", "201, the tag is listed")
def test_defined_tag_is_listed(nrfcloud: Any, tag: Any) -> None:
    """A tag that was defined is in the list, under its name and with its description."""
    listed = {each.id: each for each in nrfcloud.tags()}

    assert listed[tag.id].name == tag.name
    assert listed[tag.id].description == "Devices deployed in Trondheim."


@pytest.mark.backend(needs={"tag-details"})
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.proves("create tag", "201 with the tag, on both paths of the documents")
def test_defined_tag_is_answered(nrfcloud: Any, family: str) -> None:
    """Either family of paths defines a tag, answers with it and lists it: there is one store behind both."""
    name = nrfcloud.own_name("Oslo")

    answer = nrfcloud.raw.request("POST", family, json={"tag": name, "description": "by hand"})

    assert answer.status_code == 201
    made = answer.json()
    assert (made["tag"], made["description"]) == (name, "by hand")
    for other in FAMILIES:
        listed = nrfcloud.raw.request("GET", other, params={"pageLimit": "100"}).json()["items"]
        assert made in listed
    nrfcloud.delete_tag(made["id"])


@pytest.mark.backend(needs={"tag-details"})
@pytest.mark.proves("create tag", "201, 100 characters of whatever length in bytes")
def test_characters_of_a_tag(board: LeasedBoard, nrfcloud: Any) -> None:
    """Characters are counted and not bytes; a tag comes back as it was written."""
    name = nrfcloud.own_name("Tromsø-").ljust(100, "å")
    assert (len(name), len(name.encode()) > 100) == (100, True)

    answer = nrfcloud.raw.request("POST", FAMILIES[0], json={"tag": name})

    assert answer.status_code == 201
    assert nrfcloud.tag(name).name == name
    nrfcloud.delete_tag(answer.json()["id"])


@pytest.mark.proves("create tag", "409 for a name that is taken")
def test_name_of_a_tag_is_unique(nrfcloud: Any, tag: Any, refused: Any) -> None:
    """A second tag of one name is refused, and the first stays what it was."""
    with refused(409):
        nrfcloud.create_tag(tag.name, "another")

    assert [each.description for each in nrfcloud.tags() if each.name == tag.name] == [tag.description]


@pytest.mark.proves("create tag", "400 for a name over 100 characters")
def test_tag_of_101_characters(nrfcloud: Any, refused: Any) -> None:
    """A tag has 100 characters at most: one of 100 is defined, one of 101 is not."""
    longest = nrfcloud.own_name("x").ljust(100, "x")

    assert nrfcloud.create_tag(longest).name == longest
    with refused(400):
        nrfcloud.create_tag(longest + "x")

    assert longest + "x" not in {each.name for each in nrfcloud.tags()}


@pytest.mark.backend(needs={"exact-status"})
@pytest.mark.parametrize("body", [b"{", b"{}", b'{"tag": ""}', b'{"tag": 7}', b"[]"], ids=repr)
@pytest.mark.proves("create tag", "400 for a body that is no tag")
def test_unfit_tag(board: LeasedBoard, nrfcloud: Any, body: bytes) -> None:
    """What is no tag is refused with a message, and nothing is defined."""
    before = len(nrfcloud.tags())

    answer = nrfcloud.raw.request(
        "POST", FAMILIES[0], content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 400
    assert answer.json()["message"]
    assert len(nrfcloud.tags()) == before


@pytest.mark.proves("claim", "201 with tags that were defined first, as the documents advise")
def test_claim_with_a_defined_tag(nrfcloud: Any, tag: Any, tagged: Any) -> None:
    """A device claimed with a tag is in the tag's provisioning group, alone."""
    assert tagged.tags == (tag.name,)
    assert [device.id for device in tag.devices()] == [tagged.id]
    assert nrfcloud.create_tag(nrfcloud.own_name("empty")).devices() == []


@pytest.mark.backend(needs={"tags-by-claim"})
@pytest.mark.proves("claim", "201 with a tag that nobody defined, which is defined by that")
def test_claim_defines_tags(board: LeasedBoard, nrfcloud: Any) -> None:
    """A claim with an unknown tag defines it, without a description."""
    name = nrfcloud.own_name("unheard-of")

    device = nrfcloud.claim(board.driver.attestation_token(), tags=[name])

    assert device.tags == (name,)
    assert nrfcloud.tag(name).description == ""


@pytest.mark.backend(needs={"tags-by-claim"})
@pytest.mark.proves("dry run", "202 with a tag that nobody defined, which stays undefined")
def test_dry_run_defines_no_tag(board: LeasedBoard, nrfcloud: Any, is_claimed_by: Any) -> None:
    """What a dry run names is defined as little as its device is claimed."""
    name = nrfcloud.own_name("unheard-of")
    body = {"claimToken": board.driver.attestation_token(), "tags": [name]}

    nrfcloud.raw.request("POST", "/v1/claimed-devices", params={"dryrun": "true"}, json=body)

    assert name not in {tag.name for tag in nrfcloud.tags()}
    assert not is_claimed_by(nrfcloud)


@pytest.mark.proves("tags of a device", "200, what the device holds")
def test_tags_of_a_device(nrfcloud: Any, tag: Any, tagged: Any) -> None:
    """The documents' own call for the tags of a device names the device's tag, and that only."""
    nrfcloud.create_tag(nrfcloud.own_name("of-no-device"))

    assert nrfcloud.tags_of(tagged.id) == [tag.name]


@pytest.mark.backend(needs={"tag-details"})
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.proves("read tag", "200, the tag; 404 for what is neither tag nor device")
def test_read_a_tag(board: LeasedBoard, nrfcloud: Any, tag: Any, family: str) -> None:
    """The path that tells a device's tags tells a tag as well; of other ids it knows nothing."""
    answer = nrfcloud.raw.request("GET", f"{family}/{tag.id}")

    assert answer.status_code == 200
    assert answer.json() == {"id": tag.id, "tag": tag.name, "description": tag.description}
    assert nrfcloud.raw.request("GET", f"{family}/{NOBODY}").status_code == 404


@pytest.mark.proves("update tag", "200, every device that holds the tag shows its new name")
def test_renamed_tag_shows_on_every_device(nrfcloud: Any, tag: Any, tagged: Any, other_device: Any) -> None:
    """A tag that is renamed is renamed on all devices that hold it, and stays the same tag."""
    second = other_device(tags=[tag.name])
    name = nrfcloud.own_name("Bergen")

    tag.rename(name, "Devices deployed in Bergen.")

    assert tag.name == name
    assert tag.description == "Devices deployed in Bergen."
    for device in filter(None, (tagged, second)):
        assert nrfcloud.device(device.id).tags == (name,)
    assert nrfcloud.tags_of(tagged.id) == [name]


@pytest.fixture
def other_device(nrfcloud: Any, request: pytest.FixtureRequest) -> Any:
    """Claim a second device where one can be made up; else ``None``."""

    def claim(tags: list[str]) -> Any:
        if "factory" not in nrfcloud.capabilities:
            return None
        (sibling,) = request.getfixturevalue("siblings")(1)
        return nrfcloud.claim(sibling.token, tags=tags)

    return claim


@pytest.mark.proves("update tag", "409 for the name of another tag")
def test_rename_to_a_name_that_is_taken(nrfcloud: Any, tag: Any, tagged: Any, refused: Any) -> None:
    """Two tags never have one name; the device shows its tag as before."""
    other, name = nrfcloud.create_tag(nrfcloud.own_name("Oslo")), tag.name

    with refused(409):
        tag.rename(other.name)

    assert tag.refresh().name == name
    assert tagged.refresh().tags == (name,)


@pytest.mark.proves("update tag", "200 with the same name and another description")
def test_describe_a_tag_anew(nrfcloud: Any, tag: Any, tagged: Any) -> None:
    """A tag may keep its name when its description changes."""
    tag.rename(tag.name, "Moved.")

    assert nrfcloud.tag(tag.name).description == "Moved."
    assert tagged.refresh().tags == (tag.name,)


@pytest.mark.proves("update tag", "400 for a name over 100 characters")
def test_rename_to_101_characters(tag: Any, tagged: Any, refused: Any) -> None:
    """A tag does not grow over 100 characters by being renamed."""
    name = tag.name

    with refused(400):
        tag.rename("x" * 101)

    assert tagged.refresh().tags == (name,)


@pytest.mark.proves("delete tag", "204, no device has it any more")
def test_deleted_tag_is_gone_from_every_device(
    nrfcloud: Any, tag: Any, board: LeasedBoard, other_device: Any
) -> None:
    """A tag that is deleted is taken from all devices; their other tags stay."""
    kept = nrfcloud.create_tag(nrfcloud.own_name("kept"))
    device = nrfcloud.claim(board.driver.attestation_token(), tags=[tag.name, kept.name])
    second = other_device(tags=[tag.name])

    tag.delete()

    assert device.refresh().tags == (kept.name,)
    if second is not None:
        assert second.refresh().tags == ()
    assert tag.name not in {each.name for each in nrfcloud.tags()}
    assert device.status is DeviceStatus.READY


@pytest.mark.proves("delete tag", "404 the second time")
def test_delete_a_tag_twice(nrfcloud: Any, tag: Any, refused: Any) -> None:
    """A tag that is gone cannot be deleted again."""
    tag.delete()

    with refused(404):
        tag.delete()


@pytest.mark.proves("delete tag", "a tag of its name that is defined again is on no device")
def test_tag_defined_again(nrfcloud: Any, tag: Any, tagged: Any) -> None:
    """A new tag of an old name is another tag: no device has it before it is given to one."""
    tag.delete()

    again = nrfcloud.create_tag(tag.name)

    assert again.id != tag.id
    assert tagged.refresh().tags == ()
    assert again.devices() == []


@pytest.mark.backend(needs={"portal-commands"})
@pytest.mark.proves("delete tag", "a board whose tag is gone provisions itself as before")
def test_board_without_its_tag(board: LeasedBoard, nrfcloud: Any, tag: Any, tagged: Any) -> None:
    """Deleting a tag takes nothing from the device but the tag: its commands still run."""
    command = tagged.add_command(Configuration({"tag": "gone"}))
    tag.delete()

    board.driver.provision()

    assert tagged.command(command.id).status is CommandStatus.SUCCEEDED


@pytest.mark.backend(needs={"device-tags"})
@pytest.mark.proves("tag device", "200, the device has these tags and no others")
def test_set_the_tags_of_a_device(nrfcloud: Any, tag: Any, tagged: Any) -> None:
    """Tags are given to a claimed device and taken from it, in the order that was asked for."""
    other = nrfcloud.create_tag(nrfcloud.own_name("other"))

    tagged.set_tags([other.name, tag.name])
    assert tagged.refresh().tags == (other.name, tag.name)

    tagged.set_tags([])
    assert tagged.refresh().tags == ()
    assert tag.devices() == []


@pytest.mark.backend(needs={"device-tags"})
@pytest.mark.proves("tag device", "400 for a tag over 100 characters, the tags stay")
def test_set_a_tag_that_is_too_long(nrfcloud: Any, tag: Any, tagged: Any, refused: Any) -> None:
    """A tag that cannot be leaves the device the tags that it has."""
    with refused(400):
        tagged.set_tags(["x" * 101])

    assert tagged.refresh().tags == (tag.name,)


@pytest.mark.backend(needs={"device-tags"})
@pytest.mark.proves("tag device", "404 for a device that is not the team's")
def test_set_the_tags_of_an_unknown_device(board: LeasedBoard, nrfcloud: Any, refused: Any) -> None:
    """A device that the team has not claimed gets no tags."""
    with refused(404):
        nrfcloud.set_tags(NOBODY, [nrfcloud.own_name("x")])


@pytest.mark.proves("unclaim", "204, the provisioning group loses the device and stays")
def test_group_without_its_device(nrfcloud: Any, tag: Any, tagged: Any) -> None:
    """A group is the team's: it outlives the claims of its devices."""
    tagged.unclaim()

    assert nrfcloud.tag(tag.name).id == tag.id
    assert tag.devices() == []


@pytest.mark.backend(needs={"tags-by-claim"})
@pytest.mark.proves("claim", "201 after an unclaim, without the tags of the claim before")
def test_tags_end_with_the_claim(board: LeasedBoard, nrfcloud: Any, tagged: Any) -> None:
    """A claim begins without tags, whatever the device had before."""
    tagged.unclaim()

    assert nrfcloud.claim(board.driver.attestation_token()).tags == ()


@pytest.mark.backend(needs={"teams"})
@pytest.mark.proves("list tags", "200, without those of other teams")
def test_tags_of_another_team(nrfcloud: Any, tag: Any, tagged: Any, refused: Any) -> None:
    """Another team neither sees nor changes our tags, and may have one of the same name."""
    other = nrfcloud.another_team()

    assert tag.name not in {each.name for each in other.tags()}
    same = other.create_tag(tag.name)
    with refused(404):
        other.change_tag(tag.id, "stolen", "")
    with refused(404):
        other.delete_tag(tag.id)
    same.delete()

    assert tagged.refresh().tags == (tag.name,)


@pytest.mark.backend(needs={"tag-details", "paging"})
@pytest.mark.proves("list tags", "200 in pages, in the order of creation")
def test_tags_in_pages(board: LeasedBoard, nrfcloud: Any) -> None:
    """A page begins where the one before it ended, also when a tag of it is gone meanwhile."""
    made = [nrfcloud.create_tag(nrfcloud.own_name(str(number))) for number in range(3)]
    names, query = [], {"pageLimit": "1"}
    while True:
        page = nrfcloud.raw.request("GET", FAMILIES[0], params=query).json()
        names += [item["tag"] for item in page["items"]]
        if names[-1:] == [made[0].name]:
            made[0].delete()
        if "pageNextToken" not in page:
            break
        query["pageNextToken"] = page["pageNextToken"]

    ours = {tag.name for tag in made}
    assert [name for name in names if name in ours] == [tag.name for tag in made]
