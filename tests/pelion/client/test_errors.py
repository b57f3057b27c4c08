"""What the service says of a refusal, what it cannot be made to say, and answers of the wrong form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import BackendFault, BackendUnreachable, RequestRefused
from harness_pelion.client_models import PelionRefused

if TYPE_CHECKING:
    from harness_pelion.client import PelionClient
    from tests.pelion.client.conftest import Desk, Paper

ME = "/v3/accounts/me"
ERROR = {
    "object": "error",
    "code": 400,
    "type": "validation_error",
    "message": "Validation failed",
    "fields": [{"name": "name", "message": "too long"}],
    "request_id": "0123456789abcdef0123456789abcdef",
}


def test_refusal_tells_all_that_the_service_says(on_paper: PelionClient, paper: Paper) -> None:
    """Code, type, message, fields and request id of the body are at hand, and in the text."""
    paper.says("GET", ME, ERROR, status=400)

    with pytest.raises(PelionRefused) as caught:
        on_paper.account()

    refused = caught.value
    assert (refused.status, refused.code, refused.type) == (400, 400, "validation_error")
    assert (refused.message, refused.fields) == ("Validation failed", {"name": "too long"})
    assert refused.request_id == "0123456789abcdef0123456789abcdef"
    assert "Validation failed (name: too long)" in str(refused)
    assert isinstance(refused, RequestRefused)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"fields": 3}', b"\xff"])
def test_refusal_that_says_nothing(on_paper: PelionClient, paper: Paper, body: bytes) -> None:
    """A refusal without a readable body is a refusal; the header names the request."""
    paper.says("GET", ME, body, status=403, X_Request_ID="abc")

    with pytest.raises(PelionRefused) as caught:
        on_paper.account()

    assert (caught.value.status, caught.value.type, caught.value.request_id) == (403, "", "abc")


def test_wrong_key_has_a_hint(on_paper: PelionClient, paper: Paper) -> None:
    """Who is refused by 401 is told which variable to look at, and never the key."""
    paper.says("GET", ME, {**ERROR, "type": "invalid_apikey"}, status=401)

    with pytest.raises(PelionRefused, match="PELION_API_KEY") as caught:
        on_paper.account()

    assert "ak_" not in str(caught.value)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"id": "", "status": "ACTIVE"}', b'{"id": 3, "status": "TELLTALE"}']
)
def test_answer_of_another_form(on_paper: PelionClient, paper: Paper, body: bytes) -> None:
    """A success that does not hold what it must is the service's fault; no value of it is repeated."""
    paper.says("GET", ME, body)

    with pytest.raises(BackendFault, match="GetMyAccount was answered 200, but not with") as caught:
        on_paper.account()

    assert "TELLTALE" not in str(caught.value)


def test_unknown_fields_and_missing_ones_are_let_pass(on_paper: PelionClient, paper: Paper) -> None:
    """What newer services add, and what they leave out or call null, disturbs nobody."""
    paper.says("GET", "/v3/devices/d/", {"id": "d", "state": "registered", "ca_id": None, "novel": [1]})

    device = on_paper.device("d")

    assert (device.ca_id, device.bootstrapped_timestamp) == ("", None)


def test_silence_is_no_refusal(on_paper: PelionClient, paper: Paper, desk: Desk) -> None:
    """What reads is asked again, what makes something is not; silence is told as such."""
    paper.hangs_up("GET", ME)
    paper.hangs_up("POST", "/v3/developer-certificates")

    with pytest.raises(BackendUnreachable):
        on_paper.create_developer_certificate("x")
    assert len(paper.asked) == 1
    with pytest.raises(BackendUnreachable):
        on_paper.account()
    assert len(paper.asked) == 5
    assert all(exchange.problem for exchange in desk.exchanges)


def test_service_that_is_asked_too_much(on_paper: PelionClient, paper: Paper) -> None:
    """429 is waited out, also for what makes something: it had no effect."""
    paper.says("POST", "/v3/api-keys", ERROR, status=429, Retry_After="0")
    paper.says("POST", "/v3/api-keys", {"id": "k", "name": "n", "key": "ak_1234567890"}, status=201)

    assert on_paper.create_api_key("n").id == "k"
    assert len(paper.asked) == 2
