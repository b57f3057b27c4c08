"""Random profiles, options and control messages: accepted, or refused by the error that is promised."""

from __future__ import annotations

import contextlib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from harness.config import parse_backends, parse_bench, parse_boards
from harness.errors import UsageError
from harness.inventory.profiles import load_profile
from harness.shipped import shipped_directory
from harness.virtual import wire

PROFILE_TEXTS = [file.read_text() for file in sorted(shipped_directory("boards").glob("*.toml"))]
PIECES = st.sampled_from(
    ['"', "'", "=", "[", "]", "[[usb]]", "\n", "#", "true", "-1", "1e9", "0x", "\x00", "é", "virtual"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A shipped profile with a few pieces cut out, doubled or put in."""
    text = draw(st.sampled_from(PROFILE_TEXTS))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 30)))
        text = text[:start] + draw(PIECES | st.just(text[start:end] * 2) | st.text(max_size=4)) + text[end:]
    return text


@given(text=damaged())
def test_damaged_profile_is_read_or_refused(text: str, scratch: str) -> None:
    """However a profile is damaged, it still is one, or one usage error of one line names the file."""
    file = Path(scratch) / "damaged.toml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        profile = load_profile(file)
    except UsageError as error:
        assert str(error).startswith(f"{file}: ")  # noqa: PT017 - both outcomes are right, and differ
    else:
        for role in profile.endpoints:
            assert profile.endpoint(role, "/dev/x").role == role


@given(text=st.text() | st.from_regex(r"[a-z]{0,3}=?[0-9,a-z=:/.]{0,12}"))
def test_option_is_read_or_refused(text: str) -> None:
    """Whatever is written for an option, the only error is the one for users."""
    for parse in (parse_bench, parse_boards, lambda value: parse_backends([value])):
        with contextlib.suppress(UsageError):
            parse(text)


@given(message=st.dictionaries(st.text(), JSON, max_size=4))
def test_control_message_survives(message: dict[str, object]) -> None:
    """What one end of the bench's protocol writes as a line, the other reads."""
    line = wire.encode(message)

    assert line.count(b"\n") == 1
    assert wire.decode(line) == message


@given(line=st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_control_line_is_a_request_or_refused(line: bytes) -> None:
    """Any bytes on the control socket are a request or the error that is answered."""
    with contextlib.suppress(ValueError):
        assert wire.decode_request(line).method is not None
