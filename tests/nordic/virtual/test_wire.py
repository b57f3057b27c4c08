"""The board's codec against hand-checkable bytes of nrfcloud fact sheet, sections 3.4 and 3.5."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_nordic.virtual.cbor import DecodeError, Reader, array, head, text, unsigned
from harness_nordic.virtual.wire import (
    AtCommand,
    AtDone,
    Command,
    ConfigCommand,
    ConfigStored,
    Failed,
    FinishedAck,
    FinishedCommand,
    Response,
    TooManyCommands,
    decode_commands,
    encode_responses,
)

ID = "d6a5f3f0-5f3e-4b5e-9f60-3a3f2d0c9a11"
ID_HEX = "64366135663366302d356633652d346235652d396636302d336133663264306339613131"

# Section 3.5, A to D, then the restated upstream vectors.
COMMANDS = {
    "8182782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e3102": [
        FinishedCommand(f"{ID}.1")
    ],
    "8285782864366135663366302d356633652d346235652d396636302d3361336632643063396131312e312e73006525434d4e"
    "4765332c352c328119020185782664366135663366302d356633652d346235652d396636302d336133663264306339613131"
    "2e310067254b455947454e6c352c322c302c22434e3d782280": [
        AtCommand(f"{ID}.1.s", "%CMNG", "3,5,2", (513,)),
        AtCommand(f"{ID}.1", "%KEYGEN", '5,2,0,"CN=x"', ()),
    ],
    "8185782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e32006525434d4e4778"
    "42302c352c302c222d2d2d2d2d424547494e2043455254494649434154452d2d2d2d2d0a41413d3d0a2d2d2d2d2d454e4420"
    "43455254494649434154452d2d2d2d2d2280": [
        AtCommand(
            f"{ID}.2",
            "%CMNG",
            '0,5,0,"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"',
            (),
        )
    ],
    "8183782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e3301a263612f62613161"
    "636178": [ConfigCommand(f"{ID}.3", (("a/b", "1"), ("c", "x")))],
    "8182782639363835656638342d386361632d343235372d623563632d3934626334313661316331642e6402": [
        FinishedCommand("9685ef84-8cac-4257-b5cc-94bc416a1c1d.d")
    ],
    "8285782838396564333639622d306665642d343139342d613730332d6161626237666538313330622e652e73006525434d4e"
    "476c332c31363834323735332c328119020185782638396564333639622d306665642d343139342d613730332d6161626237"
    "666538313330622e650067254b455947454e6c31363834323735332c322c3180": [
        AtCommand("89ed369b-0fed-4194-a703-aabb7fe8130b.e.s", "%CMNG", "3,16842753,2", (513,)),
        AtCommand("89ed369b-0fed-4194-a703-aabb7fe8130b.e", "%KEYGEN", "16842753,2,1", ()),
    ],
    "8183782765353235363931382d616261392d346431322d386238372d6632633037616666656335642e313401a1781970726f"
    "766973696f6e696e672f696e74657276616c2d736563623939": [
        ConfigCommand("e5256918-aba9-4d12-8b87-f2c07affec5d.14", (("provisioning/interval-sec", "99"),))
    ],
}

RESPONSES = {
    "8182782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e311866": [
        FinishedAck(f"{ID}.1")
    ],
    "8283782864366135663366302d356633652d346235652d396636302d3361336632643063396131312e312e731864712b434d"
    "45204552524f523a203531330d0a83782664366135663366302d356633652d346235652d396636302d336133663264306339"
    "6131312e311864644f4b0d0a": [
        AtDone(f"{ID}.1.s", "+CME ERROR: 513\r\n"),
        AtDone(f"{ID}.1", "OK\r\n"),
    ],
    "8184782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e321863190206712b43"
    "4d45204552524f523a203531380d0a": [Failed(f"{ID}.2", 518, "+CME ERROR: 518\r\n")],
    "8182782664366135663366302d356633652d346235652d396636302d3361336632643063396131312e331865": [
        ConfigStored(f"{ID}.3")
    ],
    "8182782639363835656638342d386361632d343235372d623563632d3934626334313661316331642e641866": [
        FinishedAck("9685ef84-8cac-4257-b5cc-94bc416a1c1d.d")
    ],
    "8184782638306238303935652d323731342d343539652d626438622d3337343564383431306131382e661863006545525"
    "24f52": [Failed("80b8095e-2714-459e-bd8b-3745d8410a18.f", 0, "ERROR")],
}


@pytest.mark.parametrize("build", ["canonical", "non-canonical"])
@pytest.mark.parametrize(("encoded", "commands"), COMMANDS.items())
def test_commands_of_the_fact_sheet(encoded: str, commands: list[Command], build: str) -> None:
    """Every hand-checked command is read as it is meant, by both builds."""
    assert decode_commands(bytes.fromhex(encoded), limit=10, canonical=build == "canonical") == commands


@pytest.mark.parametrize(("encoded", "responses"), RESPONSES.items())
def test_responses_of_the_fact_sheet(encoded: str, responses: list[Response]) -> None:
    """Every hand-checked report is written to the byte."""
    assert encode_responses(responses).hex() == encoded


def test_non_canonical_build_sends_indefinite_lengths() -> None:
    """A build that is not canonical sends indefinite arrays at both levels."""
    sent = encode_responses([FinishedAck(f"{ID}.1")], canonical=False)

    assert sent.hex() == f"9f9f7826{ID_HEX}2e311866ffff"


def at_command(ignored: str) -> str:
    """Return one AT command with an encoded list of ignored codes."""
    return f"81857824{ID_HEX}006525434d4e4765332c352c32{ignored}"


STRICTNESS = {
    "indefinite outer array": (f"9f827824{ID_HEX}02ff", True),
    "indefinite inner array": (f"819f7824{ID_HEX}02ff", True),
    "indefinite list of codes": (at_command("9f190201ff"), True),
    "indefinite map": (f"81837824{ID_HEX}01bf6161623939ff", True),
    "type 2 in two bytes": (f"81827824{ID_HEX}1802", True),
    "length in nine bytes": (f"9b0000000000000001827824{ID_HEX}02", True),
    "text length in three bytes": (f"8182790024{ID_HEX}02", True),
    "empty outer array": ("80", False),
    "empty indefinite outer array": ("9fff", False),
    "seven ignored codes": (at_command("8700010203040506"), False),
    "no list of codes": (f"81847824{ID_HEX}006525434d4e4765332c352c32", False),
    "negative code": (at_command("8120"), False),
    "code of 33 bits": (at_command("811b0000000100000000"), False),
    "eleven pairs": (f"81837824{ID_HEX}01ab" + "61616162" * 11, False),
    "value is a number": (f"81837824{ID_HEX}01a1616101", False),
    "key is a number": (f"81837824{ID_HEX}01a1016161", False),
    "byte string for an id": (f"81825824{ID_HEX}02", False),
    "unknown type": (f"81827824{ID_HEX}03", False),
    "type is text": (f"81827824{ID_HEX}6132", False),
    "extra element": (f"81837824{ID_HEX}0201", False),
    "extra element, indefinite": (f"819f7824{ID_HEX}0201ff", False),
    "no type": (f"81817824{ID_HEX}", False),
    "map for an array": ("a10102", False),
    "id in pieces": (f"81827f7824{ID_HEX}ff02", False),
    "reserved length": ("9c", False),
    "cut short": (f"81827824{ID_HEX[:-2]}", False),
    "no break": (f"9f827824{ID_HEX}02", False),
    "nothing": ("", False),
    "id of 46 characters": (f"8182782e{ID_HEX}" + "2e" * 10 + "02", False),
}


@pytest.mark.parametrize(("encoded", "tolerated"), STRICTNESS.values(), ids=list(STRICTNESS))
def test_strictness(encoded: str, *, tolerated: bool) -> None:
    """The canonical build refuses all of them, the other one only what is wrong in itself."""
    data = bytes.fromhex(encoded)

    with pytest.raises(DecodeError):
        decode_commands(data, limit=10)
    if tolerated:
        assert decode_commands(data, limit=10, canonical=False)
    else:
        with pytest.raises(DecodeError):
            decode_commands(data, limit=10, canonical=False)


def test_six_codes_ten_pairs_and_an_id_of_45_fit() -> None:
    """The limits themselves are allowed."""
    six = decode_commands(bytes.fromhex(at_command("86000102030405")), limit=10)
    ten = decode_commands(bytes.fromhex(f"81837824{ID_HEX}01aa" + "61616162" * 10), limit=10)
    long = decode_commands(bytes.fromhex(f"8182782d{ID_HEX}" + "2e" * 9 + "02"), limit=10)

    assert six == [AtCommand(ID, "%CMNG", "3,5,2", (0, 1, 2, 3, 4, 5))]
    assert ten == [ConfigCommand(ID, (("a", "b"),) * 10)]
    assert long == [FinishedCommand(ID + "." * 9)]


def test_bytes_behind_the_array_are_ignored() -> None:
    """What follows the outer array does not matter."""
    assert decode_commands(bytes.fromhex(f"81827824{ID_HEX}02ffff00"), limit=10) == [FinishedCommand(ID)]


@pytest.mark.parametrize("canonical", [True, False])
def test_record_limit(canonical: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """One element more than the record limit is an error of its own; the limit itself is fine."""
    element = f"827824{ID_HEX}02"

    assert len(decode_commands(bytes.fromhex("85" + element * 5), limit=5, canonical=canonical)) == 5
    with pytest.raises(TooManyCommands):
        decode_commands(bytes.fromhex("86" + element * 6), limit=5, canonical=canonical)


@given(st.binary(max_size=200))
def test_decoder_survives_any_bytes(data: bytes) -> None:
    """Whatever comes, it is read or refused, by both builds."""
    for canonical in (True, False):
        try:
            commands = decode_commands(data, limit=10, canonical=canonical)
        except DecodeError:
            continue
        assert commands


@given(st.lists(st.binary(max_size=12), min_size=1, max_size=4), st.integers(0, 60))
def test_decoder_survives_damaged_commands(parts: list[bytes], position: int) -> None:
    """A real command with bytes pushed into it is read or refused."""
    original = bytes.fromhex(next(iter(COMMANDS)))
    data = original[:position] + b"".join(parts) + original[position:]
    for canonical in (True, False):
        try:
            decode_commands(data, limit=10, canonical=canonical)
        except DecodeError:
            continue


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00"),
        (23, "17"),
        (24, "1818"),
        (255, "18ff"),
        (256, "190100"),
        (65536, "1a00010000"),
        (16842753, "1a01010001"),
        (1 << 32, "1b0000000100000000"),
    ],
)
def test_integers_are_as_short_as_possible(value: int, encoded: str) -> None:
    """RFC 8949, appendix A: the shortest form."""
    assert unsigned(value).hex() == encoded


def test_head_refuses_more_than_64_bits() -> None:
    """An argument of more than 64 bits has no head."""
    with pytest.raises(OverflowError):
        head(0, 1 << 64)


def test_bytes_that_are_no_utf8_come_back_as_they_came() -> None:
    """An id that is no UTF-8 is echoed unchanged: the library does not look into it."""
    assert text(Reader(bytes.fromhex("63ff4180")).text()).hex() == "63ff4180"
    assert array([]).hex() == "80"
