"""The log of a device's client is read as the fact sheet shows it (section 6.1), whatever stands around."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness_pelion.driver_models import ClientError, read_client_log

GOOD = b"Client registered\nEndpoint Name: 0164\nDevice Id: 016c\n"
BAD = b"Error occurred : ConnectBootstrapFailed\nError code : 257\nError details : 4.03 Forbidden\n"
STAMPED = b"2026-11-22T00:00:00Z [INFO][mbl]: "


def test_lines_of_the_documents() -> None:
    """Bare lines as in the documents of the product, and lines with a stamp in front."""
    for content in (GOOD, b"".join(STAMPED + line for line in GOOD.splitlines(keepends=True))):
        view = read_client_log(content)
        assert (view.registered, view.endpoint_name, view.device_id) == (True, "0164", "016c")
        assert (view.errors, view.registrations, view.at_rest) == ((), 1, True)


def test_errors_are_whole() -> None:
    """Name, code and details belong together, also of several errors and without some of them."""
    view = read_client_log(BAD + b"Error occurred : ConnectTimeout\n" + BAD)

    whole = ClientError(name="ConnectBootstrapFailed", code=257, details="4.03 Forbidden")
    assert view.errors == (whole, ClientError(name="ConnectTimeout"), whole)
    assert not view.registered
    assert str(whole) == "ConnectBootstrapFailed (257): 4.03 Forbidden"


def test_last_word_counts() -> None:
    """Registered is who registered last and did nothing else since."""
    started = b"x: mbl-cloud-client started\n"
    assert read_client_log(BAD + GOOD).registered
    assert not read_client_log(GOOD + BAD).registered
    assert read_client_log(GOOD + b"Client unregistered\n").unregistered
    assert not read_client_log(GOOD + b"Client unregistered\n").registered
    assert read_client_log(GOOD + started).starting
    assert not read_client_log(GOOD + started).at_rest
    assert read_client_log(GOOD + started + GOOD).registrations == 2


def test_what_was_there_before_does_not_count() -> None:
    """Only what comes behind a size; of a log that was begun anew all of it."""
    assert not read_client_log(GOOD, after=len(GOOD)).registered
    assert read_client_log(GOOD + GOOD, after=len(GOOD)).registrations == 1
    assert read_client_log(GOOD, after=len(GOOD) + 1).registered
    assert read_client_log(GOOD + GOOD, after=len(GOOD)).size == 2 * len(GOOD)


def test_where_a_run_begins() -> None:
    """At the line of the last start that counts, stamp and all; nowhere when none does."""
    started = STAMPED + b"mbl-cloud-client started\n"
    assert read_client_log(GOOD + BAD).started_at is None
    assert read_client_log(started + GOOD + started + BAD).started_at == len(started + GOOD)
    assert read_client_log(GOOD + started + BAD, after=len(GOOD)).started_at == len(GOOD)
    assert read_client_log(started + BAD, after=len(started)).started_at is None
    assert read_client_log(started + BAD, after=1000).started_at == 0


@given(st.binary(max_size=400), st.integers(0, 500))
def test_anything_can_be_read(content: bytes, after: int) -> None:
    """No content of a log makes reading it fail, and what registers always says that it does."""
    view = read_client_log(content, after=after)

    assert view.size == len(content)
    assert read_client_log(content + b"\n" + GOOD).registered
