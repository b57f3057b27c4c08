"""What a service may say of waiting, and a bucket of requests to the fraction of a second."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.backends.pacing import RateLimit, seconds_of


def test_burst_and_rate() -> None:
    """Three at once, then one every half second; what was not asked meanwhile is earned again."""
    now = 100.0
    limit = RateLimit(2, burst=3, clock=lambda: now)

    assert [limit.reserve() for _request in range(5)] == [0, 0, 0, 0.5, 1.0]
    now += 1.0
    assert limit.reserve() == 0.5
    now += 60
    assert [limit.reserve() for _request in range(4)] == [0, 0, 0, 0.5]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00", 0.0),
        ("-1", None),
        ("1.5", None),
        ("\u0663", None),
        ("soon", None),
    ],
)
def test_retry_after(text: str | None, seconds: float | None) -> None:
    """Both forms of RFC 9110 are understood, and nothing else."""
    assert seconds_of(text) == seconds


@given(
    st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,25} [JFM][a-z]{2} \d{1,25} \d{1,25}:\d\d:\d\d [+-]\d+")
)
@example("Mon, 99999999999999999999 Jan 2020 00:00:00 GMT")
@example("Fri, 31 Dec 9999 23:59:59 -2359")
def test_any_retry_after(text: str) -> None:
    """Whatever a service says there is a time to wait, or nothing."""
    seconds = seconds_of(text)

    assert seconds is None or seconds >= 0
