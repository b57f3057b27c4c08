"""Rules of the fake: whom they give what, when, and how often (nrfcloud fact sheet, section 2.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.fake.app import NrfCloudFake
from harness_nordic.fake.choices import CONTRARIAN
from harness_nordic.fake.clock import Clock
from tests.nordic.fake.conftest import Door
from tests.nordic.paper_device import NOW

if TYPE_CHECKING:
    from tests.nordic.fake.conftest import Site

CLAIMS = "/v1/claimed-devices"
RULES = "/v1/provisioning-rules"
CONFIG: dict[str, Any] = {"request": {"config": {"properties": {"a": "b"}}}}
FINISHED: dict[str, Any] = {"request": {"finished": {}}}


def make(site: Site, name: str = "rule", **contents: Any) -> dict[str, Any]:
    """Make an active rule for ``white``."""
    body = {"name": name, "active": True, "commands": [CONFIG], "tags": ["white"], **contents}
    answer = site.ask("POST", RULES, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def change(site: Site, rule: dict[str, Any], **contents: Any) -> int:
    """Change a rule; return the status."""
    return site.ask("PUT", f"{RULES}/{rule['id']}", json=contents).status_code


def commands(site: Site) -> list[str]:
    """Return the types of the device's commands."""
    path = f"{CLAIMS}/{site.device.id}/provisioning"
    items = site.ask("GET", path, params={"pageLimit": "100"}).json()["items"]
    return [kind for item in items for kind in item["request"]]


def do_all(site: Site) -> None:
    """Fetch and report success until nothing is left."""
    done: dict[int, list[Any]] = {0: [100, "OK\r\n"], 1: [101], 2: [102]}
    while served := site.served():
        assert site.report(*([each[0], *done[each[1]]] for each in served)) == 200


@pytest.fixture
def tagged(site: Site) -> Site:
    """A site whose device was claimed with the tag ``white``."""
    body = {"claimToken": site.device.token(), "tags": ["white"]}
    assert site.ask("POST", CLAIMS, json=body).status_code == 201
    return site


def test_rule_object(site: Site) -> None:
    """A rule is answered whole, listed and read alike; without ``active`` it is a draft."""
    body = {
        "name": "rule",
        "description": "d",
        "commands": [{"description": "c", **CONFIG}],
        "tags": ["white"],
    }

    made = site.ask("POST", RULES, json=body).json()

    assert len(made["id"]) == 36
    assert made == {**body, "id": made["id"], "active": False, "createdAt": "2023-11-14T22:13:20.000Z"}
    assert site.ask("GET", RULES).json() == {"items": [made], "total": 1}
    assert site.ask("GET", f"{RULES}/{made['id']}").json() == made
    assert [tag["tag"] for tag in site.ask("GET", f"{CLAIMS}/tags").json()["items"]] == ["white"]


def test_rule_of_the_real_client(tagged: Site) -> None:
    """The onboarding rule of ``claim_and_provision_device`` is taken and carried out (section 2.9)."""
    tag = 16842753
    sent = [
        {"request": {"clientPrivateKeyGeneration": {"secTag": tag}}},
        {"request": {"cloudAccessKeyGeneration": {"secTag": tag}}},
        {"request": {"serverCertificate": {"secTag": tag, "content": "PEM\n"}}},
    ]
    make(tagged, "nRF Cloud Onboarding", description="", commands=sent)

    served = tagged.served()

    assert [each[2:4] for each in served if each[1] == 0] == [
        ["%CMNG", "3,16842753,2"],
        ["%KEYGEN", "16842753,2,1"],
        ["%CMNG", "3,16842753,2"],
        ["%KEYGEN", "16842753,2,0"],
        ["%CMNG", '0,16842753,0,"PEM\n"'],
    ]
    assert [each[1] for each in served] == [0, 0, 0, 0, 0, 2]


def test_rule_is_evaluated_at_the_fetch(tagged: Site) -> None:
    """Neither the claim nor a look at the device gives it the commands of a rule; its fetch does."""
    make(tagged)
    assert (tagged.status(), commands(tagged)) == ("READY", [])

    assert [each[1] for each in tagged.served()] == [1, 2]

    assert (tagged.status(), commands(tagged)) == ("PENDING", ["config", "finished"])


def test_rule_is_not_evaluated_for_who_is_turned_away(tagged: Site) -> None:
    """A blocked device, and a fetch whose JWT or query is no good, get nothing of a rule."""
    make(tagged)
    tagged.ask("POST", f"{CLAIMS}/{tagged.device.id}/block")
    assert tagged.fetch().status_code == 403
    tagged.ask("POST", f"{CLAIMS}/{tagged.device.id}/unblock")
    assert tagged.fetch(limit="none").status_code == 400
    assert tagged.fetch(jwt=tagged.device.jwt()[:-4] + "AAAA").status_code in {401, 403}

    assert commands(tagged) == []


def test_rule_is_applied_once_a_claim(tagged: Site) -> None:
    """Fetches that repeat themselves add nothing, also when all is done; a new claim begins anew."""
    make(tagged)
    tagged.served()
    tagged.served()
    do_all(tagged)
    assert tagged.served() == []
    assert commands(tagged) == ["config", "finished"]

    tagged.ask("DELETE", f"{CLAIMS}/{tagged.device.id}")
    body = {"claimToken": tagged.device.token(), "tags": ["white"]}
    tagged.ask("POST", CLAIMS, json=body)
    assert [each[1] for each in tagged.served()] == [1, 2]


def test_commands_of_rules_come_in_order(tagged: Site) -> None:
    """Waiting commands first, then rules as they were made, then one ``finished`` for all of them."""
    tagged.add({"serverCertificate": {"secTag": 5, "content": "x"}})
    make(tagged, "first", commands=[CONFIG, FINISHED])
    make(tagged, "second", commands=[{"request": {"clientCertificate": {"secTag": 5, "content": "y"}}}])

    do_all(tagged)

    assert commands(tagged) == ["serverCertificate", "config", "clientCertificate", "finished"]
    assert tagged.status() == "PROVISIONED"


def test_rule_without_commands(tagged: Site) -> None:
    """A rule without commands is ``finished`` and nothing else."""
    make(tagged, commands=[])

    assert [each[1] for each in tagged.served()] == [2]


def test_rules_wait_for_room(tagged: Site) -> None:
    """A rule that does not fit beside what is open waits, and a later one does not overtake it."""
    for _number in range(18):
        tagged.add(CONFIG["request"])
    make(tagged, "two", commands=[CONFIG, CONFIG])
    make(tagged, "one")
    tagged.served()
    assert len(commands(tagged)) == 18

    do_all(tagged)

    assert commands(tagged) == ["config"] * 21 + ["finished"]


def test_drafts_and_rules_out_of_use(tagged: Site) -> None:
    """Only active rules apply; taken out of use and activated again they do not apply twice."""
    rule = make(tagged, active=False)
    assert tagged.served() == []
    assert change(tagged, rule, active=True) == 200
    do_all(tagged)

    assert change(tagged, rule, active=False) == 200
    assert change(tagged, rule, active=True) == 200

    assert tagged.served() == []


@pytest.mark.parametrize(
    "contents",
    [
        {"name": "new"},
        {"description": "new"},
        {"commands": []},
        {"tags": []},
        {"onboarding": {}},
        {"active": True},
        {"active": False, "name": "new"},
        {},
    ],
    ids=str,
)
def test_active_rule_is_not_edited(site: Site, contents: dict[str, Any]) -> None:
    """Nothing but taking it out of use is done to an active rule."""
    rule = make(site)

    assert change(site, rule, **contents) == 409

    assert site.ask("GET", f"{RULES}/{rule['id']}").json() == rule
    assert change(site, rule, active=False) == 200


def test_draft_is_edited(site: Site) -> None:
    """What a change names is changed, and the rest stays; a name must be free."""
    make(site, "taken")
    rule = make(site, active=False)

    assert change(site, rule, name="taken") == 409
    assert change(site, rule, name="new", tags=["black", "black"], onboarding={"subType": "s"}) == 200

    changed = site.ask("GET", f"{RULES}/{rule['id']}").json()
    onboarding = {"subType": "s", "fwTypes": [], "group": ""}
    assert changed == {**rule, "name": "new", "tags": ["black"], "onboarding": onboarding}


def test_rules_follow_their_tags(tagged: Site) -> None:
    """A rule is for a tag that was renamed, and no more for one that was deleted."""
    rule = make(tagged)
    (tag,) = tagged.ask("GET", f"{CLAIMS}/tags").json()["items"]
    tagged.ask("PUT", f"{CLAIMS}/tags/{tag['id']}", json={"tag": "black"})
    assert tagged.ask("GET", f"{RULES}/{rule['id']}").json()["tags"] == ["black"]

    tagged.ask("DELETE", f"{CLAIMS}/tags/{tag['id']}")

    assert tagged.ask("GET", f"{RULES}/{rule['id']}").json()["tags"] == []
    assert tagged.served() == []


@pytest.mark.parametrize(
    "contents",
    [
        {"name": ""},
        {"name": "x" * 257},
        {"commands": [FINISHED, CONFIG]},
        {"commands": [CONFIG] * 20},
        {"commands": [{"request": {"config": {"properties": {"a": 1}}}}]},
        {"tags": [""]},
        {"onboarding": {"fwTypes": ["FLASH"]}},
        {"onboarding": {"tags": []}},
    ],
    ids=lambda contents: str(contents)[:40],
)
def test_what_is_no_rule(site: Site, contents: dict[str, Any]) -> None:
    """What no device could be given is refused, at the making and at the change of a draft."""
    body = {"name": "rule", "commands": [], "tags": []}

    assert site.ask("POST", RULES, json={**body, **contents}).status_code == 400
    assert site.ask("GET", RULES).json()["items"] == []
    rule = make(site, active=False)
    assert change(site, rule, **contents) == 400
    assert site.ask("GET", f"{RULES}/{rule['id']}").json() == rule


def test_largest_rule(tagged: Site) -> None:
    """19 commands and the service's ``finished`` fill a queue; 19 and an own ``finished`` do the same."""
    make(tagged, commands=[CONFIG] * 19 + [FINISHED])

    do_all(tagged)

    assert commands(tagged) == ["config"] * 19 + ["finished"]


def test_rules_of_other_teams(tagged: Site) -> None:
    """A rule is its team's: others neither see nor change it, and their devices get nothing of it."""
    other = tagged.team()["api_key"]
    rule = make(tagged)

    assert tagged.ask("GET", RULES, key=other).json()["items"] == []
    for method in ("GET", "PUT", "DELETE"):
        answer = tagged.ask(method, f"{RULES}/{rule['id']}", key=other, json={"active": False})
        assert answer.status_code == 404
    stranger = tagged.enrolled(2)
    body = {"claimToken": stranger.token(), "tags": ["white"]}
    assert tagged.ask("POST", CLAIMS, json=body, key=other).status_code == 201
    assert tagged.served(stranger) == []


def test_viewer_reads_rules(site: Site) -> None:
    """A viewer reads rules and makes, changes and deletes none."""
    rule = make(site)
    owner = site.fake.provisioning.owner_of_key(site.key)
    viewer = site.team(role="viewer", owner_id=str(owner))["api_key"]

    assert site.ask("GET", f"{RULES}/{rule['id']}", key=viewer).json() == rule
    assert site.ask("POST", RULES, key=viewer, json={"name": "x"}).status_code == 403
    assert site.ask("PUT", f"{RULES}/{rule['id']}", key=viewer, json={"active": False}).status_code == 403
    assert site.ask("DELETE", f"{RULES}/{rule['id']}", key=viewer).status_code == 403


def test_device_in_error_gets_no_rule(tagged: Site) -> None:
    """A rule waits for a device in ERROR until its queue is put in order."""
    tagged.add(CONFIG["request"])
    (served,) = tagged.served()
    tagged.report([served[0], 99, 0, "broken"])
    make(tagged)
    assert tagged.served() == []
    assert commands(tagged) == ["config"]

    tagged.ask("POST", f"{CLAIMS}/{tagged.device.id}/provisioning/discard")

    assert [each[1] for each in tagged.served()] == [1, 2]


def test_onboarding_comes_with_finished(tagged: Site) -> None:
    """The core knows the device when ``finished`` is reported, not before, as the rule describes it."""
    onboarding = {"subType": "s", "fwTypes": ["BOOT", "APP", "BOOT"], "group": "g"}
    make(tagged, onboarding=onboarding)
    path = f"/v1/devices/{tagged.device.id}"

    config, finished = tagged.served()
    tagged.report([config[0], 101])
    assert tagged.ask("GET", path).status_code == 404
    tagged.report([finished[0], 102])

    device = tagged.ask("GET", path).json()
    assert (device["subType"], device["groups"]) == ("s", ["g"])
    assert device["firmware"]["supports"] == ["BOOT", "APP"]
    assert device["tags"] == []


def test_discarded_onboarding(tagged: Site) -> None:
    """A device whose ``finished`` was discarded is not onboarded by another one."""
    make(tagged, onboarding={"subType": "s"})
    tagged.served()
    tagged.ask("POST", f"{CLAIMS}/{tagged.device.id}/provisioning/discard")
    tagged.add({"finished": {}})

    do_all(tagged)

    assert tagged.status() == "PROVISIONED"
    assert tagged.ask("GET", f"/v1/devices/{tagged.device.id}").status_code == 404


def test_rules_of_a_contrarian(site: Site) -> None:
    """Decided the other way: the last rule first, no ``finished``, no word of a rule but its tags."""
    site.fake = NrfCloudFake(Clock(lambda: NOW), choices=CONTRARIAN)
    site.world, site.control = Door(site.fake.service), Door(site.fake.control)
    site.key, site.device = site.team()["api_key"], site.enrolled(1)
    for number in ("1", "2"):
        command = {"request": {"clientCertificate": {"secTag": int(number), "content": "x"}}}
        assert make(site, number, commands=[command]) == {"tags": ["white"]}
    body = {"claimToken": site.device.token(), "tags": ["white"]}
    assert site.ask("POST", CLAIMS, json=body).status_code == 201

    assert [each[3] for each in site.served()] == ['0,2,1,"x"', '0,1,1,"x"']

    assert site.ask("GET", RULES).json()["items"] == [{"tags": ["white"]}] * 2
    assert site.ask("GET", f"{RULES}/1").status_code in {403, 404}
