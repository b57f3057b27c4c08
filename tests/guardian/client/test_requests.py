"""How provisioning requests are submitted, listed, acted on and waited for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import BackendFault
from harness_guardian.client_models import HistoryEntry, HistoryRecord, Refused
from harness_guardian.client_requests import assert_passed
from harness_guardian.enums import ErrorCode, Status
from tests.guardian.client import answers
from tests.guardian.client.answers import ID

if TYPE_CHECKING:
    from harness_guardian.client import GuardianClient
    from tests.guardian.client.conftest import Stage

ROW = f"/api/v1/provisioning-requests/{ID}"
LIST = "/api/v1/provisioning-requests"
FINAL = {"status": "provisioned", "version": 4, "provisioning_status": "Provisioned"}


def _seconds(prefer: str) -> int:
    return int(prefer.partition("=")[2])


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b' {"payload": ""}', "application/guardian-pr+jws"),
        (b"\xd2\x84", "application/guardian-pr+cose"),
    ],
)
def test_submitted_as_what_it_looks_like(
    guardian: GuardianClient, stage: Stage, content: bytes, kind: str
) -> None:
    """A JSON text is a JWS, anything else COSE; the answer is told whole."""
    stage.cloud.says(
        "POST", LIST, 202, {"request_id": ID, "status": "verifying"}, Location=f"/x/{ID}", Retry_After="3"
    )

    made = guardian.submit(content)

    (asked,) = stage.cloud.requests("POST", LIST)
    assert (asked.headers["Content-Type"], asked.body) == (kind, content)
    assert (made.request_id, made.status, made.created) == (ID, Status.VERIFYING, True)
    assert (made.location, made.retry_after) == (f"/x/{ID}", 3.0)


def test_submitted_again(guardian: GuardianClient, stage: Stage) -> None:
    """The same bytes again are nothing new."""
    stage.cloud.says("POST", LIST, 200, {"request_id": ID, "status": "provisioned"})

    assert not guardian.submit(b"{}").created


def test_submitted_as_a_file(guardian: GuardianClient, stage: Stage) -> None:
    """A form has the request as its file."""
    stage.cloud.says("POST", LIST, 202, {"request_id": ID, "status": "verifying"})

    guardian.submit(b"{}", as_form=True)

    (asked,) = stage.cloud.requests("POST", LIST)
    assert asked.headers["Content-Type"].startswith("multipart/form-data")
    assert b'name="file"; filename="request.mcpr"' in asked.body


def test_refusal_tells_its_problem(guardian: GuardianClient, stage: Stage) -> None:
    """Status, kind and code of a problem are at hand, and its text is told."""
    problem = answers.problem("failed", 409, "Vault was slow", "VAULT_REQUEST_TIMEOUT")
    stage.cloud.says("POST", f"{ROW}/approve", 409, problem)

    with pytest.raises(Refused, match="VAULT_REQUEST_TIMEOUT: Vault was slow") as caught:
        guardian.approve(ID)

    assert (caught.value.status, caught.value.slug) == (409, "failed")
    assert caught.value.code == "VAULT_REQUEST_TIMEOUT"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"status": "many"}'])
def test_refusal_that_is_no_problem(guardian: GuardianClient, stage: Stage, body: bytes) -> None:
    """What is no problem document is told as it came."""
    stage.cloud.says("GET", ROW, 500, body)

    with pytest.raises(Refused) as caught:
        guardian.request(ID)

    assert (caught.value.status, caught.value.slug, caught.value.code) == (500, "", "")


def test_answer_of_another_form(guardian: GuardianClient, stage: Stage) -> None:
    """The field is named, its value is not: it may be a secret."""
    stage.cloud.says("GET", ROW, 200, answers.row(status="secret-word"))

    with pytest.raises(BackendFault, match=r"GetProvisioningRequest .* status: ") as caught:
        guardian.request(ID)

    assert "secret-word" not in str(caught.value)


def test_row(guardian: GuardianClient, stage: Stage) -> None:
    """Nothing is nothing, and moments are moments."""
    stage.cloud.says("GET", ROW, 200, answers.row(status="error", error_code="APPLIANCE_ONLY"))

    row = guardian.request(ID)

    assert (row.error_code, row.response_id, row.approved_on) == (ErrorCode.APPLIANCE_ONLY, "", None)
    assert row.request_created_on is not None
    assert row.request_created_on.isoformat() == "2026-11-21T10:00:00+00:00"
    assert row.is_final


# Waiting ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "path"),
    [("an id\n", "an%20id%0A"), ("bulk?a=b#c", "bulk%3Fa%3Db%23c"), ("../systems", "..%2Fsystems")],
)
def test_id_that_is_none(guardian: GuardianClient, stage: Stage, typed: str, path: str) -> None:
    """Whatever was typed for an id stays in its place in the path, and is answered like any unknown one."""
    for call in (guardian.request, guardian.history, guardian.approve, guardian.certified_profile):
        with pytest.raises(Refused) as caught:
            call(typed)
        assert caught.value.status == 404

    asked = [each.path for each in stage.cloud.asked]
    assert asked == [f"{LIST}/{path}{end}" for end in ("", "/history", "/approve", "/certified-profile")]


def test_wait_keeps_a_question_open(guardian: GuardianClient, stage: Stage) -> None:
    """The version that is known and the wish to wait go with each question (RFC 7240, RFC 9110)."""
    stage.cloud.says("GET", ROW, 200, answers.row(), ETag='"1"')
    stage.cloud.says("GET", ROW, 200, answers.row(version=2, status="auto_approved"), ETag='"2"')
    stage.cloud.says("GET", ROW, 200, answers.row(**FINAL), ETag='"4"')

    row = guardian.wait_until_final(ID, timeout=7)

    first, second, third = stage.cloud.requests("GET", ROW)
    assert row.status is Status.PROVISIONED
    assert "If-None-Match" not in first.headers
    assert (second.headers["If-None-Match"], third.headers["If-None-Match"]) == ('"1"', '"2"')
    assert 1 <= _seconds(third.headers["Prefer"]) <= 7


def test_wait_obeys_retry_after(guardian: GuardianClient, stage: Stage, monkeypatch: Any) -> None:
    """A service that keeps no question open is asked again when it says so, and not sooner."""
    pauses: list[float] = []

    def pause(_closing: Any, seconds: float) -> bool:
        pauses.append(seconds)
        return False

    monkeypatch.setattr(type(guardian.closing), "pause", pause)
    stage.cloud.says("GET", ROW, 200, answers.row(), Retry_After="2")
    stage.cloud.says("GET", ROW, 304, Retry_After="2")
    stage.cloud.says("GET", ROW, 200, answers.row())
    stage.cloud.says("GET", ROW, 200, answers.row(**FINAL))

    assert guardian.wait_until_final(ID, timeout=60).status is Status.PROVISIONED

    told, untold = pauses
    assert 1 < told <= 2
    assert 0 < untold <= 0.2


@pytest.mark.parametrize("status", ["needs_approval", "complete_provisioning", "rejected_by_user", "error"])
def test_settled(guardian: GuardianClient, stage: Stage, status: str) -> None:
    """What waits for a user is settled, and so is what is final."""
    code = "APPLIANCE_ONLY" if status == "error" else None
    stage.cloud.says("GET", ROW, 200, answers.row(status=status, error_code=code))

    assert guardian.wait_until_settled(ID).status.value == status
    assert guardian.wait_for(ID, Status(status)).status.value == status


def test_wait_that_ends_elsewhere(guardian: GuardianClient, stage: Stage) -> None:
    """What is final will never be what is waited for: id, state and history are told at once."""
    stage.cloud.says("GET", ROW, 200, answers.row(status="error", error_code="APPLIANCE_ONLY"))
    stage.cloud.says("GET", f"{ROW}/history", 200, answers.history("verifying", "error"))

    with pytest.raises(BackendFault) as caught:
        guardian.wait_for(ID, Status.PROVISIONED, Status.NEEDS_APPROVAL)

    text = str(caught.value)
    assert f"request {ID} was to come to provisioned or needs_approval: it is final" in text
    assert "it is error (APPLIANCE_ONLY); passed: Verifying -> Error" in text


def test_wait_that_is_too_long(guardian: GuardianClient, stage: Stage) -> None:
    """The deadline is told, too."""
    stage.cloud.says("GET", ROW, 200, answers.row())
    stage.cloud.says("GET", f"{ROW}/history", 200, answers.history("verifying"))

    with pytest.raises(BackendFault, match=r"a final state: not within 0\.05 s; it is verifying"):
        guardian.wait_until_final(ID, timeout=0.05)


def test_closing_ends_a_wait(guardian: GuardianClient, stage: Stage) -> None:
    """Who closes the client waits for nobody who waits."""
    stage.cloud.says("GET", ROW, 200, answers.row(), Retry_After="60")
    stage.cloud.says("GET", f"{ROW}/history", 200, answers.history("verifying"))
    ended: list[BackendFault] = []

    def wait() -> None:
        try:
            guardian.wait_until_final(ID, timeout=60)
        except BackendFault as fault:
            ended.append(fault)

    thread = threading.Thread(target=wait)
    thread.start()
    while len(stage.cloud.requests("GET", ROW)) < 2:
        thread.join(0.01)
    guardian.closing.event.set()
    thread.join(10)

    assert "the client was closed" in str(ended[0])


# Profiles --------------------------------------------------------------------------------------------------


def test_profile(guardian: GuardianClient, stage: Stage) -> None:
    """It comes as soon as it is there."""
    stage.cloud.says("GET", f"{ROW}/certified-profile", 202, {"status": "verifying"}, Retry_After="0")
    stage.cloud.says("GET", f"{ROW}/certified-profile", 200, b"a.b.c")
    stage.cloud.says("GET", ROW, 200, answers.row())

    assert guardian.certified_profile(ID) == "a.b.c"


def test_no_profile_in_time(guardian: GuardianClient, stage: Stage) -> None:
    """The state that it is in is told."""
    stage.cloud.says("GET", f"{ROW}/certified-profile", 202, {"status": "verifying"}, Retry_After="1")
    stage.cloud.says("GET", ROW, 200, answers.row())
    stage.cloud.says("GET", f"{ROW}/history", 200, answers.history("verifying"))

    with pytest.raises(BackendFault, match=r"a certified profile: not within 0\.02 s; it is verifying"):
        guardian.certified_profile(ID, timeout=0.02)


def test_no_profile_ever(guardian: GuardianClient, stage: Stage) -> None:
    """A refusal is not waited out."""
    problem = answers.problem("failed", 409, "No", "APPLIANCE_ONLY")
    stage.cloud.says("GET", f"{ROW}/certified-profile", 409, problem)

    with pytest.raises(Refused) as caught:
        guardian.certified_profile(ID)
    assert caught.value.code == "APPLIANCE_ONLY"


# Lists, bulk -----------------------------------------------------------------------------------------------


def test_all_pages(guardian: GuardianClient, stage: Stage) -> None:
    """Pages are asked for until there is none; several values are several parameters."""
    stage.cloud.says("GET", LIST, 200, {"items": [answers.row()], "total": 2, "next": "more"})
    stage.cloud.says("GET", LIST, 200, {"items": [answers.provisioned()], "total": 2, "next": None})

    rows = guardian.rows("run1-system-cafe", status=["verifying", "error"], hw_id=None)

    assert [row.status for row in rows] == [Status.VERIFYING, Status.PROVISIONED]
    first, second = stage.cloud.requests("GET", LIST)
    assert first.path.endswith("?system=run1-system-cafe&status=verifying&status=error")
    assert second.path.endswith("&after=more")


def test_pages_without_end(guardian: GuardianClient, stage: Stage, monkeypatch: Any) -> None:
    """A list that goes on for ever is the service's fault."""
    monkeypatch.setattr("harness_guardian.client_requests._MOST_PAGES", 3)
    stage.cloud.says("GET", LIST, 200, {"items": [], "total": 0, "next": "more"})

    with pytest.raises(BackendFault, match="has no end after 3 pages"):
        guardian.rows("run1-system-cafe")


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"ids": ["a", "b"]}, {"action": "approve", "ids": ["a", "b"]}),
        ({"filter": {"system": "s"}}, {"action": "approve", "filter": {"system": "s"}}),
    ],
)
def test_bulk(guardian: GuardianClient, stage: Stage, given: Any, sent: Any) -> None:
    """Each item has a result of its own, with the problem that it met."""
    problem = answers.problem("wrong-state", 409, "No")
    results = [{"id": "a", "ok": True, "status": "approving"}, {"id": "b", "ok": False, "problem": problem}]
    stage.cloud.says("POST", f"{LIST}/bulk", 200, {"results": results})

    good, bad = guardian.bulk("approve", **given)

    assert stage.cloud.requests("POST", f"{LIST}/bulk")[0].json == sent
    assert (good.ok, good.status, good.problem) == (True, Status.APPROVING, None)
    assert bad.problem is not None
    assert bad.problem.slug == "wrong-state"


@pytest.mark.parametrize("action", ["approve", "reject", "provision"])
def test_actions(guardian: GuardianClient, stage: Stage, action: str) -> None:
    """Each action has a path of its own."""
    stage.cloud.says("POST", f"{ROW}/{action}", 202, answers.row(status="approving"))

    assert getattr(guardian, action)(ID).status is Status.APPROVING


def test_installed(guardian: GuardianClient, stage: Stage) -> None:
    """A device says that it is done, by its nonce."""
    stage.cloud.says("POST", f"{ROW}/installed", 204)

    guardian.as_device("AAAAAAAAAAAAAAAAAAAAAA").report_installed(ID)

    (asked,) = stage.cloud.requests("POST", f"{ROW}/installed")
    assert asked.headers["Authorization"] == "Guardian-Nonce AAAAAAAAAAAAAAAAAAAAAA"
    assert stage.secrets["AAAAAAAAAAAAAAAAAAAAAA"] == "nonce of a provisioning request"


# Histories -------------------------------------------------------------------------------------------------


def _history(*statuses: str) -> list[HistoryEntry]:
    return list(HistoryRecord.model_validate(answers.history(*statuses)).items)


@pytest.mark.parametrize(
    "states", [["verifying", "provisioned"], [], ["verifying", "auto_approved", "provisioned"]]
)
def test_passed_in_order(states: list[str]) -> None:
    """What was passed in between does not matter."""
    assert_passed(
        _history("verifying", "auto_approved", "provisioning", "provisioned"), [*map(Status, states)]
    )


@pytest.mark.parametrize("states", [["provisioned", "verifying"], ["rejecting"], ["verifying", "verifying"]])
def test_not_passed_in_order(states: list[str]) -> None:
    """What is missing is told beside what was passed."""
    with pytest.raises(AssertionError, match="passed: verifying, auto_approved, provisioned"):
        assert_passed(_history("verifying", "auto_approved", "provisioned"), [*map(Status, states)])
