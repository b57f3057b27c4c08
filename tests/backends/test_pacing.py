"""How fast a service is asked, and how its own wish to be left alone is honoured."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.backends.contract import Change
from harness.backends.http import ServiceHttp, Terms
from harness.backends.pacing import RateLimit, seconds_of
from harness.errors import RequestRefused, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    import httpx


class Seconds:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@given(st.lists(st.floats(0, 5), max_size=40), st.integers(1, 8), st.floats(0.5, 50))
@example([0.0] * 3, 1, 1.0)
def test_no_more_than_the_rate(pauses: list[float], burst: int, per_second: float) -> None:
    """However requests come, by any moment no more were let through than the burst and the rate allow."""
    clock = Seconds()
    limit = RateLimit(per_second, burst, clock)
    begun = clock.now
    for number, pause in enumerate(pauses, start=1):
        clock.now += pause
        let_through_at = clock.now + limit.reserve()
        assert number <= burst + per_second * (let_through_at - begun) + 1e-6


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0.0), (" 12 ", 12.0), (None, None), ("", None), ("soon", None), ("-1", None), ("1.5", None)],
)
def test_retry_after(text: str | None, seconds: float | None) -> None:
    """A number of seconds is understood, everything else that is no date says nothing."""
    assert seconds_of(text) == seconds


def test_retry_after_a_date() -> None:
    """A date is so far away as it is, and never in the past."""
    later = seconds_of(format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True))
    assert later is not None
    assert 80 <= later <= 90
    assert seconds_of("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0


class Scripted(ServiceHttp):
    """A client whose service answers what the test wrote down."""

    def __init__(self, *answers: tuple[int, dict[str, str]], **terms: object) -> None:
        """Answer so, one after the other."""
        super().__init__("http://nowhere", terms=Terms(**terms))  # type: ignore[arg-type]  # the test's own
        self.left = list(answers)

    def _exchange(self, operation: str, request: httpx.Request) -> httpx.Response:
        import httpx

        status, headers = self.left.pop(0)
        return httpx.Response(status, headers=headers, request=request)


def test_refused_for_now() -> None:
    """429 is waited out, also for a request that changes something: it was not done."""
    with Scripted((429, {"Retry-After": "0"}), (429, {}), (201, {}), patience=5.0) as service:
        assert service.send("POST", "/x").status_code == 201
        assert service.left == []


def test_refused_for_too_long() -> None:
    """A pause beyond our patience is not made: the refusal is the answer."""
    with (
        Scripted((429, {"Retry-After": "3600"}), (200, {}), patience=5.0) as service,
        pytest.raises(RequestRefused, match="429"),
    ):
        service.request("GET", "/x", operation="X", accept={200})


def test_fakes_are_not_waited_for() -> None:
    """Without patience 429 is an answer like any other."""
    with Scripted((429, {"Retry-After": "0"})) as service:
        assert service.send("GET", "/x").status_code == 429


def test_hint() -> None:
    """A refusal that users often meet is explained."""
    with (
        Scripted((401, {}), hints={401: "another key?"}) as service,
        pytest.raises(RequestRefused, match=r"401.*\(another key\?\)"),
    ):
        service.request("GET", "/x", operation="X", accept={200})


def test_change_that_is_not_allowed() -> None:
    """What may change something is announced before it is sent; what only reads is not."""
    announced: list[Change] = []

    def never(change: Change) -> None:
        announced.append(change)
        raise UsageError("not now")

    with Scripted((200, {}), (202, {}), (204, {}), before_change=never) as service:
        assert service.send("GET", "/x").status_code == 200
        assert service.send("POST", "/x", harmless=True).status_code == 202
        with pytest.raises(UsageError, match="not now"):
            service.send("DELETE", "/x", operation="Delete")
    assert announced == [Change(operation="Delete", method="DELETE", url="http://nowhere/x")]


def test_authorities_that_are_none(tmp_path: Path) -> None:
    """A file without certificates is named, and nothing is connected."""
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")

    with pytest.raises(UsageError, match=r"ca\.pem"):
        ServiceHttp("https://nowhere", terms=Terms(ca_file=file))
