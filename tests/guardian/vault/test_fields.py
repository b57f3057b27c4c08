"""How the Vault reads the fields of a body, and which keys it makes."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519

from harness_guardian.vault.answers import VaultProblem
from harness_guardian.vault.fields import (
    LONGEST_DURATION,
    flag_field,
    list_field,
    number_field,
    seconds_field,
    text_field,
)
from harness_guardian.vault.keys import another_key_like, checked_bits, kind_of, make_key
from harness_guardian.vault.pki_roles import check_key, parse_role


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, 7),
        ("", 7),
        (0, 0),
        (90, 90),
        ("90", 90),
        ("90s", 90),
        ("1h30m", 5400),
        ("30d", 30 * 86400),
        ("8760h", 8760 * 3600),
    ],
)
def test_durations(value: Any, seconds: int) -> None:
    """Numbers of seconds, Go's durations, and days; nothing is what is usual."""
    assert seconds_field({"ttl": value}, "ttl", 7) == seconds


@pytest.mark.parametrize(
    "value", [-1, "-1", "h", "1y", "1.5h", " 1h", [], True, 1.5, LONGEST_DURATION + 1, "9" * 13]
)
def test_what_is_no_duration(value: Any) -> None:
    """Everything else is refused with the field's name."""
    refuses(lambda: seconds_field({"ttl": value}, "ttl"), "ttl")


@pytest.mark.parametrize(
    ("value", "flag"),
    [(None, True), (True, True), (False, False), ("true", True), ("False", False), (1, True), (0, False)],
)
def test_flags(value: Any, *, flag: bool) -> None:
    """Truth values may be written as texts or numbers."""
    assert flag_field({"x": value}, "x", default=True) is flag


@pytest.mark.parametrize("value", ["yes", 2, [], {}, 1.5])
def test_what_is_no_flag(value: Any) -> None:
    """Everything else is refused."""
    refuses(lambda: flag_field({"x": value}, "x", default=True), "x")


@pytest.mark.parametrize(("value", "number"), [(None, 5), (0, 0), (384, 384), ("384", 384)])
def test_numbers(value: Any, number: int) -> None:
    """Numbers may be written as texts."""
    assert number_field({"x": value}, "x", 5) == number


@pytest.mark.parametrize("value", [-1, "x", True, 1.5, [], 1 << 40])
def test_what_is_no_number(value: Any) -> None:
    """Everything else is refused."""
    refuses(lambda: number_field({"x": value}, "x", 5), "x")


@pytest.mark.parametrize(
    ("value", "texts"),
    [(None, ("usual",)), ("", ()), ("a, b", ("a", "b")), (["a", 1], ("a", "1")), ([], ())],
)
def test_lists(value: Any, texts: tuple[str, ...]) -> None:
    """Lists may be one text with commas."""
    assert list_field({"x": value}, "x", ("usual",)) == texts


@pytest.mark.parametrize("value", [5, {}, [[]], [None, {}], ["\ud800"]])
def test_what_is_no_list(value: Any) -> None:
    """Everything else is refused."""
    refuses(lambda: list_field({"x": value}, "x"), "x")


@pytest.mark.parametrize("value", [True, [], {}, 1.5, "\ud800"])
def test_what_is_no_text(value: Any) -> None:
    """Halves of characters and other types are refused."""
    refuses(lambda: text_field({"x": value}, "x"), "x")


@pytest.mark.parametrize(
    ("key_type", "bits", "kind"),
    [
        ("ec", 0, ("ec", 256)),
        ("ec", 384, ("ec", 384)),
        ("ed25519", 0, ("ed25519", 0)),
        ("rsa", 0, ("rsa", 2048)),
    ],
)
def test_keys_are_made_as_named(key_type: str, bits: int, kind: tuple[str, int]) -> None:
    """Type and size are what roles call them; another key of the kind is another key."""
    key = make_key(key_type, bits).public_key()
    assert kind_of(key) == kind
    if key_type != "rsa":
        other = another_key_like(key)
        assert kind_of(other) == kind
        assert other != key


@pytest.mark.parametrize(("key_type", "bits"), [("dsa", 0), ("ec", 100), ("rsa", 1024), ("", 0)])
def test_keys_that_nobody_makes(key_type: str, bits: int) -> None:
    """Weak and unknown ones are refused."""
    with pytest.raises(VaultProblem):
        checked_bits(key_type, bits)


def test_role_of_any_key_takes_no_weak_one() -> None:
    """RSA below 2,048 bits is refused by every role, and so is a kind of key that cannot sign."""
    role = parse_role("any", {"key_type": "any", "key_bits": 5})
    check_key(role, ec.generate_private_key(ec.SECP256R1()).public_key())
    check_key(role, ed25519.Ed25519PrivateKey.generate().public_key())
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - to be refused
    with pytest.raises(VaultProblem, match="RSA keys < 2048 bits are unsafe"):
        check_key(role, weak.public_key())
    with pytest.raises(VaultProblem, match="unsupported key type in CSR"):
        check_key(role, x25519.X25519PrivateKey.generate().public_key())


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"key_type": "dsa"}, "unknown key type: dsa"),
        ({"key_type": "ec", "key_bits": 5}, "unsupported bit length for EC key: 5"),
        ({"ttl": "2h", "max_ttl": "1h"}, '"ttl" value must be less than "max_ttl" value'),
    ],
)
def test_role_that_cannot_be(fields: dict[str, Any], text: str) -> None:
    """Each mistake has its own words."""
    with pytest.raises(VaultProblem) as refused:
        parse_role("r", fields)
    assert (refused.value.status, refused.value.errors) == (400, (text,))


def refuses(read: Any, field: str) -> None:
    """See that a field is refused in the words of Vault."""
    with pytest.raises(VaultProblem) as refused:
        read()
    assert refused.value.status == 400
    assert refused.value.errors[0].startswith("Field validation failed: error converting input ")
    assert f"for field {field!r}" in refused.value.errors[0]
