"""What a lease file says of its holder, and what is made of it by whoever reads it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.inventory.lease_records import (
    NOBODY_KNOWN,
    RECORD_SIZE,
    Holder,
    decode_record,
    describe_ourselves,
    encode_record,
)

ALICE = Holder(user="alice", pid=7, host="lab", session="s1", since="2026-01-01T00:00:00+00:00")


def test_a_holder_is_said_in_words() -> None:
    """For messages: session, user, process, host and time."""
    assert str(ALICE) == "session s1 of alice (pid 7 on lab, since 2026-01-01T00:00:00+00:00)"
    assert str(NOBODY_KNOWN) == "somebody whose record cannot be read"


def test_a_record_of_an_older_version() -> None:
    """What it says is taken, what it does not is unknown; what we do not know is passed over."""
    data = json.dumps({"user": "bob", "pid": 3, "session": "s", "colour": "red"}).encode()

    assert decode_record(data.ljust(RECORD_SIZE)) == Holder(
        user="bob", pid=3, host="unknown", session="s", since="unknown"
    )


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 512, b"garbage", b"[1]", b"null", b"[" * 100_000, b'{"user": ', b"\xff\xfe"]
)
def test_garbage_is_unknown(data: bytes) -> None:
    """Whoever can write to the directory can write anything; a holder it is all the same."""
    assert decode_record(data) == NOBODY_KNOWN


@pytest.mark.parametrize(
    "part",
    [{"pid": True}, {"pid": -1}, {"pid": "7"}, {"pid": 1.5}, {"user": 7}, {"user": ""}, {"test": ["x"]}],
)
def test_parts_of_another_kind_are_unknown(part: dict[str, object]) -> None:
    """A part that does not fit is unknown and spoils no other."""
    record = {"user": "u", "pid": 7, "host": "h", "session": "s", "since": "t", "test": None, **part}

    found = decode_record(json.dumps(record).encode())

    assert (found.host, found.session, found.since) == ("h", "s", "t")
    assert (found.user, found.pid, found.test) in {("u", 0, None), ("unknown", 7, None), ("u", 7, None)}


def test_a_terminal_is_not_taken_over() -> None:
    """Control characters of somebody's record are shown as question marks, and no text is endless."""
    found = decode_record(json.dumps({"user": "\x1b[2Jroot\n", "session": "x" * 200}).encode())

    assert found.user == "?[2Jroot?"
    assert found.session == "..." + "x" * 61


def test_the_end_of_a_long_test_is_kept() -> None:
    """A record has one size; of an id that does not fit the end tells more."""
    test = "suites/" + "deep/" * 400 + "test_it.py::test_this[board-1]"
    data = encode_record(describe_ourselves("s"))
    assert len(data) == RECORD_SIZE

    for name in (test, "é" * 5000 + test, '"' * 5000 + test[-40:]):
        holder = Holder(user="a" * 64, pid=1, host="b" * 64, session="c" * 64, since="d" * 25, test=name)
        data = encode_record(holder)
        assert len(data) == RECORD_SIZE
        shown = decode_record(data).test
        assert shown is not None
        assert shown.startswith("...")
        assert shown.endswith("test_this[board-1]")


@given(
    user=st.text(),
    host=st.text(),
    session=st.text(),
    test=st.none() | st.text(min_size=1, max_size=3000),
    pid=st.integers(1, 2**22),
)
def test_any_record_is_read_as_it_was_written(
    user: str, host: str, session: str, test: str | None, pid: int
) -> None:
    """Whatever a user, a host and a test are called, the record has its size and says who holds the lease."""
    written = Holder(user=user[:64], pid=pid, host=host[:64], session=session[:64], since="t", test=test)

    data = encode_record(written)
    found = decode_record(data)

    assert len(data) == RECORD_SIZE
    assert (found.pid, found.since) == (pid, "t")
    for before, after in ((user[:64], found.user), (host[:64], found.host), (session[:64], found.session)):
        if before.isprintable() and before:
            assert after == before
        assert after.isprintable()


@given(
    data=st.binary() | st.dictionaries(st.text(), st.integers() | st.text()).map(json.dumps).map(str.encode)
)
def test_any_bytes_are_some_holder(data: bytes) -> None:
    """Reading never fails, and what is shown can be shown."""
    assert str(decode_record(data)).isprintable()
