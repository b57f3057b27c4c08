"""Tags of the fake: one store behind both families of paths (nrfcloud fact sheet, section 2.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness_nordic.fake.app import NrfCloudFake
from harness_nordic.fake.choices import CONTRARIAN
from harness_nordic.fake.clock import Clock
from harness_nordic.fake.refusals import BadRequest, Conflict, NotFound
from harness_nordic.fake.tags import TeamTags
from tests.nordic.fake.conftest import Door
from tests.nordic.paper_device import NOW

if TYPE_CHECKING:
    from tests.nordic.fake.conftest import Site

CLAIMS = "/v1/claimed-devices"
FAMILIES = (f"{CLAIMS}/tags", "/v1/provisioning/tags")
NOBODY = "00000000-0000-4000-8000-000000000000"


def define(site: Site, name: str, family: str = FAMILIES[0], **more: str) -> dict[str, Any]:
    """Define a tag."""
    answer = site.ask("POST", family, json={"tag": name, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def claim(site: Site, *tags: str) -> None:
    """Claim the device with tags."""
    body = {"claimToken": site.device.token(), "tags": list(tags)}
    assert site.ask("POST", CLAIMS, json=body).status_code == 201


def tags_of(site: Site) -> list[str]:
    """Return the tags that the device shows."""
    tags: list[str] = site.ask("GET", f"{CLAIMS}/{site.device.id}").json()["tags"]
    return tags


@pytest.mark.parametrize("made_at", FAMILIES)
@pytest.mark.parametrize("used_at", FAMILIES)
def test_both_families_of_paths(site: Site, made_at: str, used_at: str) -> None:
    """What one family makes the other lists, reads, changes and deletes."""
    tag = define(site, "white", made_at, description="Snow.")

    assert tag.pop("id")
    assert tag == {"tag": "white", "description": "Snow."}
    (listed,) = site.ask("GET", used_at).json()["items"]
    assert site.ask("GET", f"{used_at}/{listed['id']}").json() == listed
    changed = site.ask("PUT", f"{used_at}/{listed['id']}", json={"tag": "black", "description": "Coal."})
    assert (changed.status_code, changed.json()["tag"]) == (200, "black")
    assert site.ask("DELETE", f"{used_at}/{listed['id']}").status_code == 204
    assert site.ask("GET", made_at).json() == {"items": [], "total": 0}


def test_list_of_tags_is_no_device(claimed: Site) -> None:
    """The path of the tags is not taken for that of a device called ``tags``."""
    assert claimed.ask("GET", FAMILIES[0]).json() == {"items": [], "total": 0}
    assert claimed.ask("DELETE", FAMILIES[0]).status_code in {404, 405}


def test_tags_of_a_device_by_its_id(site: Site) -> None:
    """The path that reads a tag lists the tags of a device; of another team's device it knows nothing."""
    claim(site, "white", "Oslo")

    answer = site.ask("GET", f"{FAMILIES[0]}/{site.device.id}")

    assert [item["tag"] for item in answer.json()["items"]] == ["white", "Oslo"]
    other = site.team()["api_key"]
    assert site.ask("GET", f"{FAMILIES[0]}/{site.device.id}", key=other).status_code == 404


def test_claim_defines_each_tag_once(site: Site) -> None:
    """A claim defines the tags that nobody defined, names none twice, and uses those that are there."""
    known = define(site, "white", description="Snow.")

    claim(site, "Oslo", "white", "Oslo")

    assert tags_of(site) == ["Oslo", "white"]
    items = site.ask("GET", FAMILIES[0]).json()["items"]
    assert [(item["tag"], item["description"]) for item in items] == [("white", "Snow."), ("Oslo", "")]
    assert items[0]["id"] == known["id"]


def test_refused_claim_defines_nothing(claimed: Site) -> None:
    """A claim that is refused leaves no tag behind."""
    body = {"claimToken": claimed.device.token(), "tags": ["white"]}

    assert claimed.ask("POST", CLAIMS, json=body).status_code == 409

    assert claimed.ask("GET", FAMILIES[0]).json()["items"] == []


def test_renamed_and_deleted_tag(site: Site) -> None:
    """A device shows the new name of its tag, and no tag that is deleted."""
    tag = define(site, "white")
    claim(site, "white", "Oslo")

    site.ask("PUT", f"{FAMILIES[0]}/{tag['id']}", json={"tag": "black", "description": ""})
    assert tags_of(site) == ["black", "Oslo"]
    assert site.ask("GET", CLAIMS, params={"tag": "black"}).json()["total"] == 1
    assert site.ask("GET", CLAIMS, params={"tag": "white"}).json()["total"] == 0

    site.ask("DELETE", f"{FAMILIES[0]}/{tag['id']}")
    assert tags_of(site) == ["Oslo"]


def test_names_are_unique_in_a_team(site: Site) -> None:
    """A name that is taken is 409 for a new tag and for a renamed one; another team may have it."""
    white, black = define(site, "white"), define(site, "black")

    assert site.ask("POST", FAMILIES[1], json={"tag": "white"}).status_code == 409
    answer = site.ask("PUT", f"{FAMILIES[0]}/{black['id']}", json={"tag": "white"})
    assert answer.status_code == 409
    again = site.ask("PUT", f"{FAMILIES[0]}/{white['id']}", json={"tag": "white", "description": "x"})
    assert again.status_code == 200
    other = site.team()["api_key"]
    assert site.ask("POST", FAMILIES[0], json={"tag": "white"}, key=other).status_code == 201


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_unknown_tag(site: Site, method: str) -> None:
    """What is neither tag nor device of the team is 404, also what another team has."""
    foreign = site.ask("POST", FAMILIES[0], json={"tag": "x"}, key=site.team()["api_key"]).json()["id"]

    for tag_id in (NOBODY, foreign, "no-uuid"):
        answer = site.ask(method, f"{FAMILIES[0]}/{tag_id}", json={"tag": "white"})
        assert answer.status_code == 404
        assert answer.json()["message"]


@pytest.mark.parametrize("body", [{}, {"tag": ""}, {"tag": "x" * 101}, {"tag": None}, ["x"], {"tag": ["x"]}])
def test_body_that_is_no_tag(site: Site, body: Any) -> None:
    """A tag has from 1 to 100 characters."""
    tag = define(site, "x" * 100)

    assert site.ask("POST", FAMILIES[0], json=body).status_code == 400
    assert site.ask("PUT", f"{FAMILIES[0]}/{tag['id']}", json=body).status_code == 400

    assert [each["tag"] for each in site.ask("GET", FAMILIES[0]).json()["items"]] == ["x" * 100]


def test_tags_of_a_device_are_set(claimed: Site) -> None:
    """Setting tags answers with the device, and replaces what it had."""
    path = f"{CLAIMS}/{claimed.device.id}"

    answer = claimed.ask("PUT", path, json={"tags": ["white", "Oslo"]})

    assert (answer.status_code, answer.json()["tags"]) == (200, ["white", "Oslo"])
    assert claimed.ask("PUT", path, json={"tags": ["Oslo"]}).json() == claimed.ask("GET", path).json()
    assert tags_of(claimed) == ["Oslo"]


@pytest.mark.parametrize(
    "body", [{}, {"tags": "x"}, {"tags": [""]}, {"tags": ["x" * 101]}, {"tags": [], "imei": "1"}]
)
def test_change_of_a_device_that_is_none(claimed: Site, body: Any) -> None:
    """Nothing but tags of a device can be set."""
    path = f"{CLAIMS}/{claimed.device.id}"
    claimed.ask("PUT", path, json={"tags": ["kept"]})

    assert claimed.ask("PUT", path, json=body).status_code == 400

    assert tags_of(claimed) == ["kept"]


def test_tags_of_a_contrarian(site: Site) -> None:
    """Decided the other way: tags are to be defined first, and only their list tells of them."""
    site.fake = NrfCloudFake(Clock(lambda: NOW), choices=CONTRARIAN)
    site.world, site.control = Door(site.fake.service), Door(site.fake.control)
    site.key, site.device = site.team()["api_key"], site.enrolled(1)
    body = {"claimToken": site.device.token(), "tags": ["white"]}

    assert site.ask("POST", CLAIMS, json=body).status_code == 422
    made = site.ask("POST", FAMILIES[0], json={"tag": "white"})
    assert (made.status_code, made.content) == (204, b"")
    assert site.ask("POST", CLAIMS, json=body).status_code == 201
    (listed,) = site.ask("GET", FAMILIES[0]).json()
    assert listed["tag"] == "white"
    assert site.ask("GET", f"{FAMILIES[0]}/{listed['id']}").status_code == 403
    assert site.ask("PUT", f"{CLAIMS}/{site.device.id}", json={"tags": []}).status_code == 405


NAMES = st.sampled_from("abcd")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["create", "rename", "delete", "hold"]), NAMES, NAMES), max_size=25)
)
def test_store_against_a_model(steps: list[tuple[str, str, str]]) -> None:
    """After any calls a holder shows the tags it was given, as they are called now, without deleted ones."""
    tags = TeamTags()
    ids: dict[str, str] = {}
    held: list[str] = []
    for step, name, new in steps:
        if step == "create":
            if name in ids:
                with pytest.raises(Conflict):
                    tags.create(name)
            else:
                ids[name] = tags.create(name).id
        elif step == "hold":
            if name in ids:
                held.append(ids[name])
            else:
                with pytest.raises(BadRequest):
                    tags.ids_of([name], define=False)
        elif name not in ids:
            with pytest.raises(NotFound):
                tags.delete(NOBODY)
        elif step == "delete":
            tags.delete(ids.pop(name))
        elif new in ids and new != name:
            with pytest.raises(Conflict):
                tags.change(ids[name], name=new, description="")
        else:
            tags.change(ids[name], name=new, description="")
            ids[new] = ids.pop(name)

    names = {tag_id: name for name, tag_id in ids.items()}
    assert [tag.name for tag in tags.held(held)] == [names[each] for each in held if each in names]
    assert {tag.name for tag in tags.all()} == set(ids)
