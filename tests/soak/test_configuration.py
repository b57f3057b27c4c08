"""Random profiles, options and control messages: accepted, or refused by the error that is promised."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from harness.config import parse_backends, parse_bench, parse_boards
from harness.errors import UsageError
from harness.inventory.profiles import load_profile
from harness.shipped import shipped_directory
from harness.virtual import wire
from tests.soak.support import generators
from tests.soak.support.generators import damage, flip, tree

if TYPE_CHECKING:
    from tests.soak.support.rounds import Rounds

PROFILE_TEXTS = [file.read_text() for file in sorted(shipped_directory("boards").glob("*.toml"))]
PIECE_TEXTS = [
    '"',
    "'",
    "=",
    "[",
    "]",
    "[[usb]]",
    "\n",
    "#",
    "true",
    "-1",
    "1e9",
    "0x",
    "\x00",
    "é",
    "virtual",
]
PIECES = st.sampled_from(PIECE_TEXTS)
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


def read_or_refuse(text: str, scratch: str) -> str:
    """Read a profile and return what became of it."""
    file = Path(scratch) / "damaged.toml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        profile = load_profile(file)
    except UsageError as error:
        assert str(error).startswith(f"{file}: ")  # noqa: PT017 - both outcomes are right, and differ
        return "refused by " + ("its fields" if error.key else "TOML")
    for role in profile.endpoints:
        assert profile.endpoint(role, "/dev/x").role == role
    return "read"


def parse_every_option(text: str) -> str:
    """Take a text for each option, and return how many took it."""
    taken = 0
    for parse in (parse_bench, parse_boards, lambda value: parse_backends([value])):
        with contextlib.suppress(UsageError):
            parse(text)
            taken += 1
    return f"taken by {taken} options"


def survives(message: dict[str, object]) -> None:
    """Check that what one end of the bench's protocol writes, the other reads."""
    line = wire.encode(message)

    assert line.count(b"\n") == 1
    assert wire.decode(line) == message


def request_or_refusal(line: bytes) -> str:
    """Read a control line and return what became of it."""
    try:
        assert wire.decode_request(line).method is not None
    except ValueError:
        return "refused"
    return "a request"


@given(text=damaged())
def test_damaged_profile_is_read_or_refused(text: str, scratch: str) -> None:
    """However a profile is damaged, it still is one, or one usage error of one line names the file."""
    read_or_refuse(text, scratch)


def test_many_damaged_profiles(rounds: Rounds, scratch: str) -> None:
    """The same, for many."""
    for random in rounds.run(20_000):
        text = damage(random, random.choice(PROFILE_TEXTS), [*PIECE_TEXTS, generators.text(random, 4)])
        rounds.count(read_or_refuse(text, scratch))


@given(text=st.text() | st.from_regex(r"[a-z]{0,3}=?[0-9,a-z=:/.]{0,12}"))
def test_option_is_read_or_refused(text: str) -> None:
    """Whatever is written for an option, the only error is the one for users."""
    parse_every_option(text)


def test_many_options(rounds: Rounds) -> None:
    """The same, for many, most of them nearly right."""
    whole = (
        "virtual",
        "attached",
        "nrfcloud=fake",
        "nrfcloud=http://127.0.0.1:8000",
        "nrf9151dk=2,thingy91=1",
        "4",
    )
    for random in rounds.run(100_000):
        text = damage(
            random, random.choice(whole), [",", "=", ":", "/", "@", generators.text(random, 4)], most=2
        )
        rounds.count(parse_every_option(text))


@given(message=st.dictionaries(st.text(), JSON, max_size=4))
def test_control_message_survives(message: dict[str, object]) -> None:
    """What one end of the bench's protocol writes as a line, the other reads."""
    survives(message)


def test_many_control_messages(rounds: Rounds) -> None:
    """The same, for many."""
    for random in rounds.run(100_000):
        names = [generators.text(random) for _name in range(random.randint(0, 4))]
        survives({name: tree(random) for name in names})
        rounds.count("survived")


@given(line=st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_control_line_is_a_request_or_refused(line: bytes) -> None:
    """Any bytes on the control socket are a request or the error that is answered."""
    request_or_refusal(line)


def test_many_control_lines(rounds: Rounds) -> None:
    """The same, for many, made of requests that were right."""
    whole = wire.encode({"id": 1, "method": "plug", "params": {"board": "dk", "options": {"limit": 10}}})
    for random in rounds.run(200_000):
        rounds.count(request_or_refusal(flip(random, whole)))
