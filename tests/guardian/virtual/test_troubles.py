"""What goes wrong between the agent and the service: refusals, silence, nonsense, no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.guardian.virtual.paper_service import Reply, answer_json

if TYPE_CHECKING:
    from tests.guardian.virtual.paper_bench import BoardInHand
    from tests.guardian.virtual.paper_service import PaperService

PROFILE = "certified-profile"


def only(service: PaperService) -> str:
    """Return the id of the only request that came."""
    (request_id,) = service.rows
    return request_id


def test_asks_no_sooner_than_it_may(ready: BoardInHand, service: PaperService) -> None:
    """What is longer than the agent may wait, ``Retry-After`` says, is not waited for; the request stays."""
    service.script("GET", PROFILE, answer_json(202, {}, **{"Retry-After": "59"}))
    ready.call("configure", wait_time=30)

    assert ready.provision() == "1 FAIL no certified profile within 30 s; the request stays open"
    assert sum(each.path.endswith(PROFILE) for each in service.asked) == 1
    assert ready.status()["state"] == "requested"
    ready.call("clear_faults")
    assert ready.provision() == f"0 OK provisioned (request {only(service)})"


@pytest.mark.parametrize("status", [429, 503])
def test_busy_service(ready: BoardInHand, service: PaperService, status: int) -> None:
    """A service that is too busy is asked again after the time that it wants."""
    service.script(
        "GET", PROFILE, Reply(status, b"", {"Retry-After": "0"}), Reply(status, b"", {"Retry-After": "0"})
    )

    assert ready.provision().startswith("0 OK")
    assert sum(each.path.endswith(PROFILE) for each in service.asked) == 3


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        ("error", "MAX_INSTANCE_FAILURE", "MAX_INSTANCE_FAILURE: Max instances exceeded"),
        ("rejected_by_user", None, "Rejected by user"),
        ("rejected_by_system", None, "Rejected by system"),
        ("error", None, "the request failed"),
    ],
)
def test_failed_for_good(
    ready: BoardInHand, service: PaperService, status: str, code: str | None, text: str
) -> None:
    """The agent tells code and label, gives the request up, and makes another one the next time."""
    service.automatic = False
    start = ready.start()
    service.wait_asked("GET", PROFILE)
    dead = only(service)
    service.end(dead, status, code)

    assert ready.outcome(start) == f"1 FAIL {text} (request {dead})"
    assert (ready.status()["state"], ready.status()["request_id"]) == ("ready", dead)

    service.automatic = True
    assert ready.provision().startswith("0 OK")
    assert [row.status for row in service.rows.values()] == [status, "provisioned"]


def test_failed_reprovisioning(provisioned: BoardInHand, service: PaperService) -> None:
    """After an error everything is as it was, and a good reprovisioning works."""
    service.automatic = False
    before = (
        provisioned.ask("certificates"),
        provisioned.status()["response_id"],
        provisioned.get("profile"),
    )
    provisioned.ask("init sensor SN-0001")
    start = provisioned.start("reprovision")
    service.wait_asked("GET", PROFILE, times=2)
    service.end(list(service.rows)[-1], "error", "REPROVISIONING_MISMATCH_COMPONENT")

    assert "REPROVISIONING_MISMATCH_COMPONENT: Component mismatch" in provisioned.outcome(start)
    now = (provisioned.ask("certificates"), provisioned.status()["response_id"], provisioned.get("profile"))
    assert now == before
    assert provisioned.status()["state"] == "provisioned"

    service.automatic = True
    provisioned.ask("init pump SN-0001")
    assert provisioned.provision("reprovision").startswith("0 OK")


def test_no_network(ready: BoardInHand, service: PaperService) -> None:
    """Without a network nothing is sent, what is under way fails, and a request can still be made."""
    service.automatic = False
    start = ready.start()
    service.wait_asked("GET", PROFILE)
    ready.call("set_link", up=False)
    assert ready.outcome(start) == "1 FAIL there is no network"

    asked = len(service.asked)
    assert ready.say("provision") == "ERROR 1 FAIL: there is no network\n"
    assert ready.say("submit") == "ERROR 1 FAIL: there is no network\n"
    assert ready.ask("request") == {"request_id": only(service)}
    assert len(service.asked) == asked
    with pytest.raises(ValueError, match="expected true or false"):
        ready.call("set_link", up="yes")

    ready.call("clear_faults")
    service.certify(only(service))
    assert ready.provision().startswith("0 OK")


def test_completion_is_made_up_for(ready: BoardInHand, service: PaperService) -> None:
    """A completion that the service did not take comes with the next ``provision``, and then no more."""
    service.script("POST", "installed", answer_json(500, {"title": "Out of order"}))

    assert (
        "installed, but the service does not take note of it: status 500: Out of order" in ready.provision()
    )
    assert ready.status()["state"] == "provisioned"
    assert ready.provision() == "0 OK provisioned already"
    assert ready.provision() == "0 OK provisioned already"
    assert service.rows[only(service)].installed == 1
    ready.ask("complete")
    assert service.rows[only(service)].installed == 2


def test_request_that_died_unseen(ready: BoardInHand, service: PaperService) -> None:
    """``request`` asks the service of an open one: only one that failed for good is replaced."""
    service.automatic = False
    first = ready.ask("request")["request_id"]
    ready.ask("submit")
    assert ready.ask("request")["request_id"] == first

    service.end(first, "rejected_by_user")

    assert ready.ask("request")["request_id"] != first


@pytest.mark.parametrize("word", ["request", "provision"])
def test_service_out_of_reach(ready: BoardInHand, service: PaperService, word: str) -> None:
    """Where nobody listens a request is made and kept all the same, and ``provision`` says why it fails."""
    first = ready.ask("request")["request_id"]
    ready.ask("service http://127.0.0.1:9")

    if word == "request":
        assert ready.ask("request")["request_id"] == first
    else:
        assert ready.provision().startswith("1 FAIL the service cannot be reached: ")
    assert (ready.status()["request_id"], ready.status()["state"]) == (first, "requested")
    ready.ask(f"service {service.url}/")
    assert ready.provision() == f"0 OK provisioned (request {first})"


@pytest.mark.parametrize(
    ("answer", "text", "kept"),
    [
        (answer_json(404, {"title": "No such system"}), "status 404: No such system", True),
        (
            answer_json(403, {"code": "X", "title": "No", "detail": "why"}),
            "status 403: X: No: why",
            True,
        ),
        (Reply(400, b"<html>"), "status 400", False),
        (answer_json(422, ["no object"]), "status 422", False),
    ],
)
@pytest.mark.parametrize("word", ["submit", "provision"])
def test_request_that_is_not_taken(
    ready: BoardInHand,
    service: PaperService,
    word: str,
    answer: Reply,
    text: str,
    kept: bool,  # noqa: FBT001 - a table's column
) -> None:
    """A refusal is told; bytes that the service can make nothing of are not kept for another try."""
    made = ready.ask("request")["request_id"]
    service.script("POST", "provisioning-requests", answer)

    told = ready.say("submit") if word == "submit" else ready.provision()

    assert f"the service does not take the request: {text}" in told
    assert (ready.ask("request")["request_id"] == made) is kept


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (answer_json(404, {}), "3 FILENOTFOUND the service knows no such request: status 404"),
        (answer_json(403, {"title": "No"}), "1 FAIL the service gives no certified profile: status 403: No"),
        (Reply(200, b"x" * 300_000), "1 FAIL the service cannot be reached: the answer is too long"),
        (
            Reply(200, b"nonsense"),
            "1 FAIL the certified profile is not accepted: it is no JWS in compact form",
        ),
    ],
)
def test_profile_that_is_none(ready: BoardInHand, service: PaperService, answer: Reply, text: str) -> None:
    """Whatever the service answers in the place of a profile, nothing is installed and the request stays."""
    service.automatic = False
    service.script("GET", PROFILE, answer)

    assert ready.provision() == text
    assert ready.status()["state"] == "requested"
    service.certify(only(service))
    assert ready.provision().startswith("0 OK")


def test_service_that_hangs(ready: BoardInHand, service: PaperService) -> None:
    """A service that takes longer than it may is given up; no traceback, and the next try succeeds."""
    ready.call("configure", http_timeout=0.2, prefer_wait=0)
    released = service.changed

    def hang() -> Reply:
        with released:
            released.wait_for(lambda: len(service.asked) > 1, 10)
        return answer_json(500, {})

    service.script("POST", "provisioning-requests", hang)

    assert ready.provision() == "1 FAIL the service cannot be reached: no answer within 0.2 s"
    ready.call("clear_faults")
    assert ready.provision().startswith("0 OK")


def test_nothing_to_collect(ready: BoardInHand, service: PaperService) -> None:
    """Without a file, with a file that is no request, and after a rejection there is nothing to collect."""
    assert ready.say("forward") == "ERROR 3 FILENOTFOUND: there is no file forwarded\n"
    ready.put("forwarded", b"{}")
    assert ready.say("collect") == "ERROR 1 FAIL: the forwarded file is no provisioning request\n"
    service.script("POST", "provisioning-requests", answer_json(400, {"title": "Undecodable"}))
    assert "status 400: Undecodable" in ready.say("forward")

    service.automatic = False
    made = ready.ask("request")["request_id"]
    ready.put("forwarded", ready.get("request"))
    ready.ask("forward")
    service.end(made, "rejected_by_user")
    assert ready.say("collect") == "ERROR 1 FAIL: Rejected by user\n"


def test_answer_without_words(ready: BoardInHand, service: PaperService) -> None:
    """A service may say nothing to a submission; then the agent goes by its own request's id."""
    service.script("POST", "provisioning-requests", Reply(202, b""), Reply(202, b""))

    assert ready.ask("request")["request_id"]
    assert ready.ask("submit") == {}
    assert ready.provision().startswith("3 FILENOTFOUND the service knows no such request")
