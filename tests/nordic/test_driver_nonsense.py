"""Whatever a board says, the driver reads it or says that the board is at fault; nothing else happens."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.backends.contract import UnkeptAccounts
from harness.config import BoardSettings
from harness.console import Reply
from harness.errors import HarnessError
from harness.inventory.board import Board
from harness_nordic.driver import Nrf91Driver
from harness_nordic.driver_dialect import AtDialect, secrets_in, without_content
from harness_nordic.enums import CredentialType

if TYPE_CHECKING:
    from collections.abc import Callable

DIGEST = "A" * 64
LINES = [
    "+CMEE: 1",
    "+CFUN: 4",
    "+CFUN: " + "9" * 5000,
    "+CFUN: ٣",
    "%CMNG: 910000000,3," + f'"{DIGEST}"',
    "%CMNG: 910000000,77," + f'"{DIGEST}"',
    f'%CMNG: {"9" * 5000},3,"{DIGEST}"',
    '%ATTESTTOKEN: "2dn3hQFQ.0oRD"',
    '%JWT: "head.body.signature"',
    '%KEYGEN: "a.b"',
    "359404230261381",
    "",
]
FINALS = ["OK", "ERROR", "+CME ERROR: 513", "+CME ERROR: " + "9" * 5000, "+CMS ERROR: 1"]
ASKED: list[Callable[[Nrf91Driver], Any]] = [
    lambda driver: driver.identity(),
    lambda driver: driver.functional_mode(),
    lambda driver: driver.attestation_token(),
    lambda driver: driver.jwt(),
    lambda driver: driver.generate_key(910000000),
    lambda driver: driver.credentials(),
    lambda driver: driver.credential_digest(910000000, CredentialType.PSK),
    lambda driver: driver.write_credential(910000000, CredentialType.PSK, "00112233"),
    lambda driver: driver.delete_credential(910000000, CredentialType.PSK),
    lambda driver: driver.answer("AT", 1.0),
    lambda driver: driver.restore(),
    lambda driver: driver.recover({}),
    lambda driver: driver.health(),
]

replies = st.tuples(
    st.lists(st.sampled_from(LINES) | st.text(max_size=40), max_size=3),
    st.sampled_from(FINALS),
)


class Babbler:
    """A board whose console says what it likes."""

    def __init__(self, said: list[tuple[list[str], str]]) -> None:
        self.id = "babbler"
        self.console = self
        self.settings = BoardSettings()
        self.accounts = UnkeptAccounts()
        self.capabilities: frozenset[str] = frozenset()
        self.description = Board(id="babbler", kind="babbler", driver="nrf91")
        self._said = iter(said)

    def register_secret(self, value: str, label: str) -> None:
        assert len(value) >= 6
        assert label

    def command(self, line: str, _dialect: Any, *, timeout: float, reason: str, shown: str) -> Reply:
        lines, final = next(self._said, ([], "OK"))
        assert timeout > 0
        assert reason
        return Reply(shown or line, tuple(lines), final, 0.0)


@pytest.mark.parametrize("ask", ASKED)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(replies, max_size=6))
def test_any_answers(ask: Callable[[Nrf91Driver], Any], said: list[tuple[list[str], str]]) -> None:
    """Long numbers, digits of other scripts, unknown types, no answer at all: each is the board's fault."""
    driver = Nrf91Driver(Babbler(said))  # type: ignore[arg-type]  # as much of a board as the driver uses
    with suppress(HarnessError):
        ask(driver)


@given(st.text())
def test_any_text(text: str) -> None:
    """Judging lines and looking for secrets in them never fails, and hides no more than there is."""
    assert AtDialect(text).encode(text) == text.encode() + b"\r\n"
    assert all(value in text for value, _label in secrets_in(text))
    assert len(without_content(text)) <= len(text) + 3


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ('AT%CMNG=0,5,3,"00ff"', [("00ff", "pre-shared key")]),
        ('at%cmng=0,5,2,"-----BEGIN\nx","pw"', [("-----BEGIN\nx", "private key"), ("pw", "key password")]),
        ('AT%CMNG=0,5,0,"-----BEGIN"', []),
        ('%CMNG: 5,3,"AB","00ff"', [("00ff", "pre-shared key")]),
        ('%CMNG: 5,3,"AB"', []),
        ('%ATTESTTOKEN: "a.b"', [("a.b", "attestation token")]),
        ('%JWT: "a.b.c"', [("a.b.c", "token")]),
        ("AT+CGSN", []),
    ],
)
def test_secrets(text: str, secrets: list[tuple[str, str]]) -> None:
    """Keys, pre-shared keys, passwords, tokens and JWTs are found in commands and replies."""
    assert secrets_in(text) == secrets
