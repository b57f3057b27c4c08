"""How fast a service is asked: a rate of our own, what the service says of waiting, and how long we do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.backends.http import ServiceHttp, Terms
from harness.backends.pacing import RateLimit, seconds_of
from harness.errors import RequestRefused

if TYPE_CHECKING:
    from harness.backends.contract import Exchange

PAUSES = st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=60)


def test_burst_and_rate() -> None:
    """Three at once, then one every half second; what was not asked meanwhile is earned again."""
    now = 100.0
    limit = RateLimit(2, burst=3, clock=lambda: now)

    assert [limit.reserve() for _request in range(5)] == [0, 0, 0, 0.5, 1.0]
    now += 1.0
    assert limit.reserve() == 0.5
    now += 60
    assert [limit.reserve() for _request in range(4)] == [0, 0, 0, 0.5]


@given(per_second=st.floats(0.1, 50), burst=st.integers(1, 20), pauses=PAUSES)
def test_never_faster(per_second: float, burst: int, pauses: list[tuple[float, bool]]) -> None:
    """Whoever waits as told makes in no stretch of time more requests than burst and rate allow."""
    now = 0.0
    limit = RateLimit(per_second, burst, clock=lambda: now)
    made: list[float] = []
    for pause, idle in pauses:
        now += pause if idle else 0.0
        now += limit.reserve()
        made.append(now)
    for first in range(len(made)):
        for last in range(first, len(made)):
            allowed = burst + (made[last] - made[first]) * per_second
            assert last - first + 1 <= allowed * (1 + 1e-6)


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


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_refused_for_now(url: str, method: str) -> None:
    """What was refused with 429 had no effect: a patient client sends it again, whatever it is."""
    exchanges: list[Exchange] = []
    with ServiceHttp(url, on_exchange=exchanges.append, terms=Terms(patience=60)) as http:
        params = {"statuses": "429,429,200", "of": method}
        assert http.send(method, "/answer", params=params).status_code == 200

    assert [exchange.status for exchange in exchanges] == [429, 429, 200]


def test_patience_has_an_end(url: str) -> None:
    """A service that goes on refusing is believed in the end."""
    exchanges: list[Exchange] = []
    with (
        ServiceHttp(url, on_exchange=exchanges.append, terms=Terms(patience=0.5)) as http,
        pytest.raises(RequestRefused, match="429"),
    ):
        http.request("GET", "/answer", operation="Ask", accept={200}, params={"statuses": "429"})

    assert 2 <= len(exchanges) <= 6
