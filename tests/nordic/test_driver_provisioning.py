"""Reading how a run of the agent ended."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_nordic.driver_provisioning import Exchange, ProvisionOutcome, read_log, read_notification

FETCH = "/v1/provisioning/commands"
REPORT = "/v1/provisioning/response"


def log(*lines: str) -> bytes:
    """Make a log as the virtual board writes it."""
    return "".join(f"[00:00:01.234,567] <inf> {line}\r\n" for line in lines).encode()


def test_finished() -> None:
    """Fetch, report, DONE."""
    text = log(
        "nrf_provisioning: event START",
        f"nrf_provisioning_http: GET {FETCH} status 200",
        "nrf_provisioning: event NEED_LTE_DEACTIVATED",
        f"nrf_provisioning_http: POST {REPORT} status 200",
        "nrf_provisioning: event STOP",
        "nrf_provisioning: event DONE",
    )

    assert read_log(text) == ProvisionOutcome(
        finished=True,
        event="DONE",
        refused_with=None,
        exchanges=(Exchange("GET", FETCH, 200), Exchange("POST", REPORT, 200)),
    )


@pytest.mark.parametrize(
    ("exchange", "event", "refused_with"),
    [
        ("status 403", "FAILED", 403),
        ("status 401", "FAILED_DEVICE_NOT_CLAIMED", 401),
        ("status 500", "FAILED", 500),
        ("status 204", "NO_COMMANDS", None),
        ("status 200", "FAILED_TOO_MANY_COMMANDS", None),
        ("no answer", "FAILED_WRONG_ROOT_CA", None),
    ],
)
def test_not_finished(exchange: str, event: str, refused_with: int | None) -> None:
    """Only a status from 400 on is a refusal."""
    outcome = read_log(
        log(f"nrf_provisioning_http: GET {FETCH} {exchange}", f"nrf_provisioning: event {event}")
    )

    assert outcome is not None
    assert (outcome.finished, outcome.event, outcome.refused_with) == (False, event, refused_with)


def test_run_that_has_not_ended() -> None:
    """START and STOP end nothing, half a line neither, and a run may fail before any exchange."""
    assert read_log(b"") is None
    assert read_log(log("nrf_provisioning: event START", "nrf_provisioning: event STOP")) is None
    assert read_log(b"nrf_provisioning: event FAILED_DEV") is None
    early = read_log(log("nrf_provisioning: event FAILED_NO_VALID_DATETIME"))
    assert early == ProvisionOutcome(finished=False, event="FAILED_NO_VALID_DATETIME", refused_with=None)


@pytest.mark.parametrize(
    ("number", "finished", "event", "refused_with"),
    [
        (0, True, "DONE", None),
        (-1, False, "FAILED", None),
        (-2, False, "FAILED_DEVICE_NOT_CLAIMED", 401),
        (-3, False, "FAILED_WRONG_ROOT_CA", None),
        (-4, False, "FAILED_NO_VALID_DATETIME", None),
        (-5, False, "FAILED_TOO_MANY_COMMANDS", None),
        (-6, False, "FATAL_ERROR", None),
        (77, False, "UNKNOWN 77", None),
    ],
)
def test_notifications(number: int, *, finished: bool, event: str, refused_with: int | None) -> None:
    """What the Serial Modem's documentation says of each number."""
    outcome = read_notification(number)

    assert (outcome.finished, outcome.event, outcome.refused_with) == (finished, event, refused_with)


@given(st.binary())
def test_any_log_is_read(text: bytes) -> None:
    """A trace endpoint may carry anything."""
    outcome = read_log(text)

    assert outcome is None or outcome.event


def test_log_with_bytes_that_are_no_text() -> None:
    """A damaged log is read as far as it goes; bytes that are no text are shown as such."""
    log = b"nrf_provisioning_http: GET /v1/\xff\xfe status 200\r\nnrf_provisioning: event FAILED\r\n"

    outcome = read_log(log)

    assert outcome is not None
    assert outcome.exchanges[0].path == "/v1/\\xff\\xfe"
