"""Waiting for requests, acting on them, and their profiles by the API (guardian fact sheet, 10.5)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.guardian.fake.rest_site import BASE, REQUESTS, Site, a_site, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A fake whose transient statuses do not last."""
    with a_site() as site:
        yield site


async def many_turns() -> None:
    """Let everything happen that can happen now."""
    for _turn in range(100):
        await asyncio.sleep(0)


# Waiting ------------------------------------------------------------------------------------------------


def test_version_tag(site: Site) -> None:
    """The tag is the version; who has it is told so without a row, who has another one gets the row."""
    identifier = site.system().waiting()
    path = f"{REQUESTS}/{identifier}"
    first = site.ask("GET", path)
    tag = first.headers["etag"]
    assert tag == f'"{first.json()["version"]}"'
    for known in (tag, f"W/{tag}", f'"0", {tag}', "*"):
        answer = site.ask("GET", path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    for other in ('"0"', "nonsense", tag.strip('"')):
        assert site.ask("GET", path, headers={"If-None-Match": other}).status_code == 200
    site.ask("POST", f"{path}/approve")
    site.until(identifier, "complete_provisioning")
    assert site.ask("GET", path).headers["etag"] != tag


def test_answer_comes_with_the_change(site: Site) -> None:
    """A question left open is answered when the row changes, not before: it was open when that happened."""
    identifier = site.system().waiting()
    path = f"{REQUESTS}/{identifier}"
    headers = {"Prefer": "wait=60", "If-None-Match": site.ask("GET", path).headers["etag"]}

    async def wait_and_act() -> tuple[httpx.Response, bool]:
        waiting = asyncio.ensure_future(site.asking("GET", path, headers=headers))
        await many_turns()
        open_before = not waiting.done()
        await site.asking("POST", f"{path}/reject")
        return await asyncio.wait_for(waiting, 20), open_before

    answer, was_open = site.run(wait_and_act())
    assert was_open
    assert answer.status_code == 200
    assert answer.json()["status"] in {"rejecting", "rejected_by_user"}


def test_nothing_changes(site: Site) -> None:
    """After the time that was preferred without a change: 304."""
    identifier = site.system().waiting()
    path = f"{REQUESTS}/{identifier}"
    tag = site.ask("GET", path).headers["etag"]
    answer = site.ask("GET", path, headers={"If-None-Match": tag, "Prefer": "wait=0"})
    assert answer.status_code == 304


@pytest.mark.parametrize("preference", ["wait=x", "wait", "respond-async", "wait=-1", "wait=1e3"])
def test_what_is_no_preference_is_ignored(site: Site, preference: str) -> None:
    """RFC 7240: what is not understood is ignored, so the answer comes at once."""
    path = f"{REQUESTS}/{site.system().waiting()}"
    tag = site.ask("GET", path).headers["etag"]
    answer = site.ask("GET", path, headers={"If-None-Match": tag, "Prefer": preference})
    assert answer.status_code == 304


def test_preference_among_others(site: Site) -> None:
    """A preference stands among others, with parameters and quotes; no seconds are none to wait."""
    path = f"{REQUESTS}/{site.system().waiting()}/certified-profile"
    for header in ('respond-async, Wait = "0"; x=y, wait=60', "wait=0"):
        answer = site.ask("GET", path, headers={"Prefer": header})
        assert answer.status_code == 202


def test_request_that_goes_away_ends_the_waiting(site: Site) -> None:
    """Who waits for a request whose system is deleted is told that it is gone."""
    system = site.system()
    path = f"{REQUESTS}/{system.waiting()}"
    headers = {"Prefer": "wait=60", "If-None-Match": site.ask("GET", path).headers["etag"]}

    async def wait_and_delete() -> httpx.Response:
        waiting = asyncio.ensure_future(site.asking("GET", path, headers=headers))
        await many_turns()
        await site.asking("DELETE", f"{BASE}/systems/{system.name}")
        return await asyncio.wait_for(waiting, 20)

    problem(site.run(wait_and_delete()), 404, "not-found")


# Acting -------------------------------------------------------------------------------------------------


def test_approve_and_provision(site: Site) -> None:
    """Both are accepted with the row, which is under way."""
    identifier = site.system().waiting()
    path = f"{REQUESTS}/{identifier}"
    approved = site.ask("POST", f"{path}/approve")
    assert (approved.status_code, approved.json()["id"]) == (202, identifier)
    assert site.until(identifier, "complete_provisioning")["actions"] == ["provision"]
    assert site.ask("POST", f"{path}/provision", "bert").status_code == 202
    assert site.until(identifier, "provisioned")["provisioned_by"] == "bert"


def test_two_admins_approve(site: Site) -> None:
    """One approval, one clear conflict, and the row is the first one's."""
    identifier = site.system().waiting()
    path = f"{REQUESTS}/{identifier}/approve"

    async def both() -> list[httpx.Response]:
        return list(
            await asyncio.gather(site.asking("POST", path, "anna"), site.asking("POST", path, "bert"))
        )

    answers = site.run(both())
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    (refused,) = (answer for answer in answers if answer.status_code == 409)
    problem(refused, 409, "wrong-state")
    winner = "anna" if answers[0].status_code == 202 else "bert"
    assert site.until(identifier, "complete_provisioning")["approved_by"] == winner


def test_act_at_the_other_door(site: Site) -> None:
    """The other Guardian shows the row, offers nothing, and does nothing with it."""
    identifier = site.system().waiting()
    path = f"{REQUESTS}/{identifier}"
    assert site.row(identifier, door="appliance")["actions"] == []
    problem(site.ask("POST", f"{path}/approve", door="appliance"), 409, "wrong-door")
    assert site.row(identifier)["status"] == "needs_approval"


def test_act_in_an_automatic_system(site: Site) -> None:
    """Nobody decides there: 422, and no action is offered."""
    system = site.system("Automatic")
    identifier = system.submit().json()["request_id"]
    assert site.until(identifier, "provisioned")["approved_by"] == "System"
    for action in ("approve", "reject", "provision"):
        answer = site.ask("POST", f"{REQUESTS}/{identifier}/{action}")
        problem(answer, 422, "automatic-approval")


# Profiles -----------------------------------------------------------------------------------------------


def test_certified_profile(site: Site) -> None:
    """Pending: 202 and when to ask again. Then the profile, as a file, for user and device alike."""
    system = site.system()
    made = system.device().request()
    system.submit(made, who=None)
    site.until(made.request_id, "needs_approval")
    path = f"{REQUESTS}/{made.request_id}/certified-profile"
    pending = site.ask("GET", path, made.authorization)
    assert (pending.status_code, pending.headers["retry-after"]) == (202, "1")
    assert pending.json() == {"request_id": made.request_id, "status": "needs_approval"}
    for action, status in (("approve", "complete_provisioning"), ("provision", "provisioned")):
        site.ask("POST", f"{REQUESTS}/{made.request_id}/{action}")
        site.until(made.request_id, status)
    for who in (made.authorization, "anna"):
        answer = site.ask("GET", path, who)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/guardian-cp+jws"
        assert f'filename="{made.request_id}.mccp"' in answer.headers["content-disposition"]
        assert answer.text.count(".") == 2


def test_profile_is_waited_for(site: Site) -> None:
    """A question for the profile that is left open is answered with it."""
    system = site.system()
    made = system.device().request()
    system.submit(made, who=None)
    path = f"{REQUESTS}/{made.request_id}"

    async def wait_and_provision() -> httpx.Response:
        waiting = asyncio.ensure_future(
            site.asking("GET", f"{path}/certified-profile", made.authorization, headers={"Prefer": "wait=60"})
        )
        for status, action in (("needs_approval", "approve"), ("complete_provisioning", "provision")):
            await site.coming_to(made.request_id, status)
            await site.asking("POST", f"{path}/{action}")
        return await asyncio.wait_for(waiting, 20)

    answer = site.run(wait_and_provision())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/guardian-cp+jws")


def test_no_profile_after_a_rejection(site: Site) -> None:
    """There will be none: 409, and no code, for the seed has none of it."""
    identifier = site.system().waiting()
    site.ask("POST", f"{REQUESTS}/{identifier}/reject")
    site.until(identifier, "rejected_by_user")
    answer = site.ask("GET", f"{REQUESTS}/{identifier}/certified-profile")
    assert answer.status_code == 409
    assert "code" not in answer.json()


def test_installed(site: Site) -> None:
    """Where a system completes on installation, the device says so and is provisioned then; again it may."""
    system = site.system(complete_on_install=True)
    made = system.device().request()
    system.submit(made, who=None)
    path = f"{REQUESTS}/{made.request_id}"
    site.until(made.request_id, "needs_approval")
    problem(site.ask("POST", f"{path}/installed", made.authorization), 409, "wrong-state")
    site.ask("POST", f"{path}/approve")
    site.until(made.request_id, "complete_provisioning")
    site.ask("POST", f"{path}/provision")
    headers = {"Prefer": "wait=20"}
    assert site.ask("GET", f"{path}/certified-profile", headers=headers).status_code == 200
    assert site.row(made.request_id)["status"] == "provisioning"
    for _again in range(2):
        assert site.ask("POST", f"{path}/installed", made.authorization).status_code == 204
    assert site.row(made.request_id)["status"] == "provisioned"
