"""The device protocol under random and damaged input: two independent ends agree, nothing escapes."""

from __future__ import annotations

import base64
import contextlib
from typing import TYPE_CHECKING, Any

import cbor2
from hypothesis import given
from hypothesis import strategies as st

from harness_nordic.fake import tokens
from harness_nordic.fake import wire as service_wire
from harness_nordic.fake.jwt import verify_jwt
from harness_nordic.fake.refusals import Refusal
from harness_nordic.virtual import at_syntax
from harness_nordic.virtual import wire as board_wire
from harness_nordic.virtual.cbor import DecodeError
from harness_nordic.virtual.errors import AtError, CmeRefusal
from tests.soak.support import generators
from tests.soak.support.generators import damage, flip, tree

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from tests.soak.support.rounds import Rounds

#: The attestation token of the nrfcloud fact sheet, section 4.7: body and signature.
TOKEN = tuple(
    base64.urlsafe_b64decode(half + "=" * (-len(half) % 4))
    for half in (
        "2dn3hQFQUDYxVDkxSqqLuwABAgMEBQZQJclXUe-kQNSLSh3Kq4H6yVAAAQIDBAUGBwgJCgsMDQ4P",
        "0oRDoQEmoQRBIfZYQPuXc-ijq_PjRM_6BeH--vflm2bs2tfbBV6YV99qLnFbDvdjTXecCBYMWhRozhfCbZVCs0SRSGgbO5kgDhCD3JM",
    )
)
AT_PIECES = ["AT", "at", "+", "%", "CMNG", "CFUN", "=", "?", ",", '"', "1", "-1", " ", "\r\n", ";"]
NEARLY_COMMANDS = (["a.1", 0, "%CMNG", "0,1", [513]], ["a.2", 1, {"k": "v"}], ["a.3", 2], ["a.4", 3], [5, 2])
QUOTABLE = generators.ODD_CHARACTERS.replace("\0", "")
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
IDS = st.text("0123456789abcdef-", min_size=1, max_size=45)
COMMANDS = st.one_of(
    st.builds(
        service_wire.AtCommand,
        id=IDS,
        set_command=TEXT,
        parameters=TEXT,
        ignored=st.lists(st.integers(0, 2**32 - 1), max_size=4).map(tuple),
    ),
    st.builds(service_wire.ConfigCommand, id=IDS, pairs=st.dictionaries(TEXT, TEXT, min_size=1, max_size=4)),
    st.builds(service_wire.FinishedCommand, id=IDS),
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.text(max_size=6)
    | st.binary(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.integers() | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


def plain(command: Any) -> list[Any]:
    """What both ends know of a command, in one form."""
    pairs = getattr(command, "pairs", None)
    return [
        command.id,
        getattr(command, "set_command", None),
        getattr(command, "parameters", None),
        tuple(getattr(command, "ignored", ())),
        dict(pairs) if pairs is not None else None,
    ]


def command_of(random: Random) -> service_wire.DeviceCommand:
    """Make a command as the service might have it."""

    def text() -> str:
        return generators.text(random, alphabet=QUOTABLE)

    name = "".join(random.choices("0123456789abcdef-", k=random.randint(1, 45)))
    kind = random.randrange(3)
    if kind == 0:
        ignored = tuple(
            random.getrandbits(random.choice((3, 10, 32))) for _code in range(random.randint(0, 4))
        )
        return service_wire.AtCommand(id=name, set_command=text(), parameters=text(), ignored=ignored)
    if kind == 1:
        pairs = {text(): text() for _pair in range(random.randint(1, 4))}
        return service_wire.ConfigCommand(id=name, pairs=pairs)
    return service_wire.FinishedCommand(id=name)


def cbor_of(random: Random) -> bytes:
    """Make CBOR of any kind."""
    leaf = random.choice((generators.scalar, lambda random: random.randbytes(random.randint(0, 6))))
    return cbor2.dumps(tree(random, leaf=leaf, key=lambda random: generators.text(random, 3)))


def understood(commands: Sequence[service_wire.DeviceCommand]) -> None:
    """Check that the board's own decoder reads what the fake encodes as it was meant."""
    data = service_wire.encode_commands(commands)

    assert [plain(command) for command in board_wire.decode_commands(data, limit=20)] == [
        plain(command) for command in commands
    ]


def commands_or_refusal(data: bytes) -> str:
    """Let the board decode, and return what became of it."""
    try:
        commands = board_wire.decode_commands(data, limit=20)
    except DecodeError:
        return "refused"
    return f"{len(commands)} commands"


def reports_or_refusal(data: bytes) -> str:
    """Let the service decode, and return what became of it."""
    try:
        reports = service_wire.decode_reports(data)
    except Refusal as refusal:
        return "not CBOR" if "not CBOR" in str(refusal) else "refused as a report"
    assert all(report.id is not None for report in reports)
    return f"{len(reports)} reports"


def refusal_of(token: str) -> str:
    """Offer a text as a token and as a JWT, and return how the token was refused."""
    with contextlib.suppress(Refusal):
        verify_jwt(f"{token}.x", lambda _uuid: None, now=0.0)
    try:
        tokens.read_attestation(token)
    except Refusal as refusal:
        return str(refusal).partition(":")[0]
    return "read"


def parse_line(line: str) -> str:
    """Let the modem read a line and its arguments, and return what became of it."""
    try:
        command = at_syntax.parse(line)
        for index in range(4):
            with contextlib.suppress(CmeRefusal):
                command.number(index)
            with contextlib.suppress(CmeRefusal):
                command.text(index)
    except (AtError, CmeRefusal) as error:
        return f"refused: {type(error).__name__}"
    return command.form.name


@given(commands=st.lists(COMMANDS, min_size=1, max_size=5))
def test_board_understands_the_service(commands: list[service_wire.DeviceCommand]) -> None:
    """What the fake encodes, the board's own decoder reads as it was meant."""
    understood(commands)


def test_board_understands_much(rounds: Rounds) -> None:
    """The same, for many."""
    for random in rounds.run(50_000):
        commands = [command_of(random) for _command in range(random.randint(1, 5))]
        understood(commands)
        rounds.count(f"{len(commands)} commands")


@given(
    commands=st.lists(COMMANDS, min_size=1, max_size=3),
    place=st.integers(0, 4000),
    new=st.binary(max_size=3),
    gone=st.integers(0, 3),
)
def test_damaged_commands_are_read_or_refused(
    commands: list[service_wire.DeviceCommand], place: int, new: bytes, gone: int
) -> None:
    """A damaged reply is either still one, or refused by the board as such; nothing else happens."""
    data = service_wire.encode_commands(commands)
    at = place % (len(data) + 1)
    commands_or_refusal(data[:at] + new + data[at + gone :])


def test_many_damaged_commands(rounds: Rounds) -> None:
    """The same, for many."""
    for random in rounds.run(100_000):
        data = service_wire.encode_commands([command_of(random) for _number in range(random.randint(1, 3))])
        rounds.count(commands_or_refusal(flip(random, data)))


@given(data=st.binary(max_size=60) | VALUES.map(cbor2.dumps))
def test_any_bytes_are_commands_or_refused(data: bytes) -> None:
    """The board refuses what is no reply of the service by one kind of error."""
    commands_or_refusal(data)


def test_much_cbor_for_the_board(rounds: Rounds) -> None:
    """The same, for much CBOR: of any kind, and lists of what is nearly a command."""
    for random in rounds.run(100_000):
        data = cbor_of(random)
        if random.random() < 0.7:
            nearly = [
                [*right[: random.randint(1, 5)], *([tree(random)] if random.random() < 0.3 else [])]
                for right in random.choices(NEARLY_COMMANDS, k=random.randint(0, 3))
            ]
            data = cbor2.dumps(nearly)
        rounds.count(commands_or_refusal(data))


@given(data=st.binary(max_size=60) | st.lists(VALUES, max_size=4).map(cbor2.dumps))
def test_any_bytes_are_reports_or_refused(data: bytes) -> None:
    """The service answers a report that is none with a refusal; it never breaks."""
    reports_or_refusal(data)


def test_many_reports(rounds: Rounds) -> None:
    """The same, for many: CBOR of any kind, and reports that were right before a few bytes changed."""
    for random in rounds.run(100_000):
        name = f"{random.getrandbits(64):x}.1"
        right = [[name, 100, "OK"], [name, 99, 513, "+CME ERROR: 513"], [name, 101], [name, 102]]
        whole = cbor2.dumps(random.choices(right, k=random.randint(1, 4)))
        rounds.count(reports_or_refusal(flip(random, whole) if random.random() < 0.7 else cbor_of(random)))


@given(
    token=st.text(max_size=80)
    | st.tuples(st.from_regex(r"[A-Za-z0-9_-]{0,60}"), st.from_regex(r"[A-Za-z0-9_-]{0,60}")).map(".".join)
)
def test_any_text_is_no_token(token: str) -> None:
    """A text that no board made is refused as a token and as a JWT, whatever it is."""
    refusal_of(token)


def test_many_tokens(rounds: Rounds) -> None:
    """The same, for many: mostly a body and a signature that were whole before a few bytes changed."""
    for random in rounds.run(100_000):
        halves = [flip(random, half) if random.random() < 0.6 else half for half in TOKEN]
        parts = [base64.urlsafe_b64encode(half).rstrip(b"=").decode() for half in halves]
        token = ".".join(parts) if random.random() < 0.9 else generators.text(random, 80)
        rounds.count(refusal_of(token))


@given(line=st.text(max_size=40) | st.lists(st.sampled_from(AT_PIECES), max_size=14).map("".join))
def test_any_line_is_a_command_or_refused(line: str) -> None:
    """The modem reads any line as a command or refuses it; its arguments are read or refused too."""
    parse_line(line)


def test_many_lines(rounds: Rounds) -> None:
    """The same, for many."""
    whole = (
        'AT%CMNG=0,16842753,0,"x"',
        "AT+CFUN?",
        'AT%KEYGEN=1,2,0,"CN=x,O=y","101010000"',
        "AT%CMNG=?",
        "AT",
    )
    for random in rounds.run(200_000):
        pieces = [*AT_PIECES, generators.text(random, 4)]
        rounds.count(parse_line(damage(random, random.choice(whole), pieces)))
