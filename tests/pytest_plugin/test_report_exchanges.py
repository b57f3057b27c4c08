"""HTTP exchanges as a person reads them."""

from __future__ import annotations

from typing import Any

import pytest
from allure_commons import model2

from harness.backends.contract import Exchange
from harness.pytest_plugin.report_allure import place_step
from harness.pytest_plugin.report_exchanges import exchange_name, exchange_text, exchange_title


def exchange(**changes: Any) -> Exchange:
    """Make an exchange."""
    parts: dict[str, Any] = {
        "operation": "ClaimDeviceOwnership",
        "method": "POST",
        "url": "http://user:pw@127.0.0.1:8080/v1/claimed-devices?limit=1",
        "request_headers": {"Authorization": "Bearer abcdefgh", "accept": "*/*"},
        "request_body": b'{"claimToken":"x","tags":["\xc3\xa9"]}',
        "status": 201,
        "response_headers": {"Set-Cookie": "session=1"},
        "response_body": b"",
        "seconds": 0.0123,
    }
    return Exchange(**(parts | changes))


@pytest.mark.parametrize(
    ("operation", "title"),
    [
        ("ClaimDeviceOwnership", "Claim device ownership \N{RIGHTWARDS ARROW} 201"),
        ("FetchDeviceFOTAJobs", "Fetch device FOTAJobs \N{RIGHTWARDS ARROW} 201"),
        ("GET /v1/x", "GET /v1/x \N{RIGHTWARDS ARROW} 201"),
        ("claim", "claim \N{RIGHTWARDS ARROW} 201"),
    ],
)
def test_a_title_is_in_plain_words(operation: str, title: str) -> None:
    """The service's CamelCase becomes words; what is none stays as it is."""
    assert exchange_title(exchange(operation=operation)) == title


def test_the_service_s_own_name_is_kept() -> None:
    """The attachment has the name that the service's documents use."""
    assert exchange_name(exchange()) == "HTTP: ClaimDeviceOwnership \N{RIGHTWARDS ARROW} 201"
    assert exchange_name(exchange(status=None)).endswith("no answer")


def test_the_text_has_everything_but_secret_headers() -> None:
    """Request and answer are there in full; what authorises, and who is in the address, is not."""
    assert exchange_text(exchange()).split("\n") == [
        "POST /v1/claimed-devices?limit=1",
        "(to http://127.0.0.1:8080)",
        "Authorization: [redacted: header]",
        "accept: */*",
        "",
        "{",
        '  "claimToken": "x",',
        '  "tags": [',
        '    "\N{LATIN SMALL LETTER E WITH ACUTE}"',
        "  ]",
        "}",
        "",
        "201 after 12.3 ms",
        "Set-Cookie: [redacted: header]",
        "",
        "(no body)",
    ]


def test_no_answer_says_why() -> None:
    """An exchange without an answer ends with the problem."""
    text = exchange_text(exchange(status=None, problem="connection refused", request_body=b"\xff{"))

    assert text.endswith("\\xff{\n\nno answer after 12.3 ms: connection refused")


def test_a_step_goes_where_it_belongs_in_time() -> None:
    """An exchange is shown inside the innermost step that was open, and in order between the others."""
    inner = model2.TestStepResult(name="inner", start=20, stop=40)
    outer = model2.TestStepResult(name="outer", start=10, stop=50, steps=[inner])
    result = model2.TestResult(steps=[outer, model2.TestStepResult(name="open", start=60, stop=None)])

    for name, start, stop in (("late", 55, 57), ("within", 25, 30), ("early", 1, 2), ("across", 45, 52)):
        place_step(result, model2.TestStepResult(name=name, start=start, stop=stop))

    assert [step.name for step in result.steps] == ["early", "outer", "across", "late", "open"]
    assert [step.name for step in outer.steps] == ["inner"]
    assert [step.name for step in inner.steps] == ["within"]


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"half', b"\xff"], ids=["deep", "half", "no text"])
def test_a_body_that_cannot_be_read_is_shown_as_it_is(body: bytes) -> None:
    """What a service answers wrongly belongs into the report of the test, and does not keep it from one."""
    shown = exchange_text(exchange(response_body=body)).split("\n")[-1]

    assert shown == body.decode("utf-8", "backslashreplace")
