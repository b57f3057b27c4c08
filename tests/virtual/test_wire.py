"""The lines of the control protocol."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import BenchFault, UsageError
from harness.virtual import wire

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.binary())
def test_any_bytes_are_a_request_or_a_value_error(line: bytes) -> None:
    """Nothing that a client sends raises anything else."""
    try:
        wire.decode_request(line)
    except ValueError:
        return


@given(st.integers(), st.text(), st.dictionaries(st.text(), JSON, max_size=4))
def test_a_request_survives_the_wire(number: int, method: str, params: dict[str, object]) -> None:
    """What was encoded is decoded, and is one line."""
    line = wire.encode({"id": number, "method": method, "params": params})

    assert line.index(b"\n") == len(line) - 1
    assert wire.decode_request(line) == wire.Request(number, method, params)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "Expecting"),
        (b"\xff", "decode"),
        (b"[]", "not a JSON object"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"method": "boards"}', "id: expected an integer"),
        (b'{"id": true, "method": "boards"}', "id: expected an integer"),
        (b'{"id": "1", "method": "boards"}', "id: expected an integer"),
        (b'{"id": 1}', "method: expected a text"),
        (b'{"id": 1, "method": "boards", "params": []}', "params: expected an object"),
    ],
)
def test_what_is_wrong_with_a_line_is_said(line: bytes, problem: str) -> None:
    """The text of the error names the part that does not fit."""
    with pytest.raises(ValueError, match=problem):
        wire.decode_request(line)


@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}, b"bytes"])
def test_what_json_has_no_form_for_is_a_value_error(value: object) -> None:
    """A board's unfit answer is an error of one kind."""
    with pytest.raises(ValueError):  # noqa: PT011 - the text is the standard library's
        wire.result_line(1, value)


def test_answers_look_as_documented() -> None:
    """The lines of answers, to the byte."""
    assert wire.result_line(3, {"a": [1]}) == b'{"id":3,"result":{"a":[1]}}\n'
    assert wire.error_line(None, ValueError("no")) == b'{"id":null,"error":"no","fault":"bench"}\n'
    assert wire.error_line(4, UsageError("so not")) == b'{"id":4,"error":"so not","fault":"usage"}\n'


def test_errors_are_raised_as_what_they_are() -> None:
    """A usage error stays one over the wire; all else is the bench's; a result raises nothing."""
    wire.raise_error({"id": 1, "result": None})
    with pytest.raises(UsageError, match="so not"):
        wire.raise_error({"id": 1, "error": "so not", "fault": "usage"})
    with pytest.raises(BenchFault, match="broken"):
        wire.raise_error({"id": 1, "error": "broken"})
