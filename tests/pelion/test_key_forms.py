"""A private key is found in a text however it is written there."""

from __future__ import annotations

import base64
import subprocess

from hypothesis import given
from hypothesis import strategies as st

from harness_pelion.key_forms import is_in, known_forms

KEY = bytes.fromhex("308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420ff00")


def test_forms_are_those_of_other_tools() -> None:
    """Base64 and hexadecimal as openssl and xxd-like tools write them."""
    said = subprocess.run(["openssl", "base64", "-A"], input=KEY, capture_output=True, check=True).stdout

    encoded, hexadecimal = known_forms(KEY)

    assert encoded == said.decode()
    assert hexadecimal.startswith("3081870201")


@given(st.binary(min_size=16, max_size=150), st.integers(1, 80), st.booleans(), st.sampled_from(range(3)))
def test_key_is_found(key: bytes, width: int, upper: bool, form: int) -> None:  # noqa: FBT001 - drawn
    """Whatever the width of its lines; digits may be upper-case."""
    text = (*known_forms(key), ", ".join(f"0x{byte:02x}" for byte in key))[form]
    if upper and form:
        text = text.upper()
    lines = "\n".join(text[at : at + width] for at in range(0, len(text), width))

    assert is_in(key, f"before\n{lines}\nafter")


def test_pem_is_found_whatever_the_key() -> None:
    """A private key in PEM is one, also another's."""
    body = base64.b64encode(b"x" * 40).decode()
    assert is_in(KEY, f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----")


def test_other_texts_have_no_key() -> None:
    """Certificates, digests and parts of a key are no key."""
    assert not is_in(KEY, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----")
    assert not is_in(KEY, KEY[:-1].hex())
    assert not is_in(KEY, "")
