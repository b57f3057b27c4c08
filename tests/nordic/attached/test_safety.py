"""Nobody's board is harmed: what the driver refuses, writes down, puts back and never shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import CommandRefused, ConsoleTimeout, UsageError
from harness_nordic.driver_safety import BoardState, SecTagGuard
from harness_nordic.enums import CredentialType

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_nordic.driver import Nrf91Driver

FIELD_TAG = 16_842_753
TAG = 910_000_000
PSK = "00112233445566778899aabbccddeeff"

CHANGES: list[Callable[[Nrf91Driver, int], Any]] = [
    lambda driver, tag: driver.write_credential(tag, CredentialType.PSK_IDENTITY, "me"),
    lambda driver, tag: driver.delete_credential(tag, CredentialType.ROOT_CA),
    lambda driver, tag: driver.generate_key(tag),
    lambda driver, tag: driver.at(f'AT%CMNG=0,{tag},4,"me"'),
    lambda driver, tag: driver.at(f"at%cmng = 3, {tag},0"),
    lambda driver, tag: driver.at(f"AT%KEYGEN={tag},2,0"),
    lambda driver, tag: driver.answer(f"AT%CMNG=3,{tag},0", 5.0),
    lambda driver, tag: driver.check_allowed(["AT+CFUN?", f"AT%KEYGEN={tag},2,0"]),
]


@pytest.mark.parametrize("change", CHANGES)
def test_other_tags_are_refused(rig: Any, change: Callable[[Nrf91Driver, int], Any]) -> None:
    """No way leads to a tag outside the range; the message names tag and range, and nothing was sent."""
    driver = rig.board().driver
    driver.imei()

    with pytest.raises(UsageError) as refusal:
        change(driver, FIELD_TAG)

    assert str(FIELD_TAG) in str(refusal.value)
    assert "910000000-910000009" in str(refusal.value)
    assert "--allow-destructive" in str(refusal.value)
    assert '"me"' not in str(refusal.value)
    assert driver.functional_mode() == 1
    assert rig.credentials() == []


@pytest.mark.parametrize(
    "command", ["AT%XFACTORYRESET=0", "at%xfactoryreset=1", 'AT%KEYINJECT=0,"x"', 'AT+CLCK="SC",1,"1234"']
)
def test_what_nobody_can_undo_is_refused(rig: Any, command: str) -> None:
    """A factory reset and its like are not sent to hardware; with --allow-destructive they are."""
    board = rig.board()
    board.driver.imei()
    said = board.console.position

    with pytest.raises(UsageError, match=r"--allow-destructive: .* for good") as refusal:
        board.driver.at(command)
    assert "1234" not in str(refusal.value)
    assert board.console.position == said
    assert board.driver.health()
    board.close()

    with pytest.raises(CommandRefused):  # the virtual modem does not know them
        rig.board(allow_destructive=True).driver.at(command)


def test_other_tags_with_permission(rig: Any) -> None:
    """With --allow-destructive other tags are written; they are not deleted afterwards."""
    driver = rig.board(allow_destructive=True).driver
    driver.write_credential(FIELD_TAG, CredentialType.PSK_IDENTITY, "me")

    driver.restore()

    assert rig.credentials() == [(FIELD_TAG, 4)]


def test_other_range(rig: Any) -> None:
    """With --sec-tags that range is used, and the usual one refused."""
    driver = rig.board(sec_tags=range(5, 8)).driver
    assert list(driver.sec_tags) == [5, 6, 7]

    driver.write_credential(7, CredentialType.PSK_IDENTITY, "me")
    with pytest.raises(UsageError, match=r"910000000.*5-7"):
        driver.write_credential(TAG, CredentialType.PSK_IDENTITY, "me")

    assert rig.credentials() == [(7, 4)]
    driver.restore()
    assert rig.credentials() == []


@pytest.mark.parametrize("change", CHANGES)
def test_credentials_of_somebody_else_in_our_range(
    rig: Any, change: Callable[[Nrf91Driver, int], Any]
) -> None:
    """Where somebody has put something under our tags nothing is changed, and it is never deleted."""
    rig.board(allow_destructive=True).driver.write_credential(TAG + 3, CredentialType.PSK_IDENTITY, "theirs")
    rig.opened.pop().close()
    driver = rig.board().driver

    with pytest.raises(UsageError, match=r"910000003 type 4.*--allow-destructive"):
        change(driver, TAG)
    with pytest.raises(UsageError, match="910000003 type 4"):
        driver.provision()
    assert len(driver.credentials()) == 4  # reading is not refused
    driver.restore()

    assert rig.credentials() == [(TAG + 3, 4)]


def test_permission_deletes_what_lies_in_our_range(rig: Any) -> None:
    """With --allow-destructive our range is emptied, whoever filled it."""
    rig.board(allow_destructive=True).driver.write_credential(TAG + 3, CredentialType.PSK_IDENTITY, "theirs")
    rig.opened.pop().close()
    driver = rig.board(allow_destructive=True).driver
    driver.write_credential(TAG, CredentialType.PSK_IDENTITY, "ours")

    driver.restore()

    assert rig.credentials() == []


def test_second_test_on_the_same_board(rig: Any) -> None:
    """What one test has written and put back is not somebody else's for the next."""
    driver = rig.board().driver
    for _test in range(2):
        driver.write_credential(TAG, CredentialType.PSK_IDENTITY, "me")
        driver.restore()
        assert rig.credentials() == []


def test_state_is_written_down_before_the_first_change(rig: Any) -> None:
    """The ledger knows how the board was before anything is sent that changes it, and until it is back."""
    board = rig.board()
    assert rig.book.notes == {}
    board.driver.imei()

    (note,) = rig.book.notes.values()
    assert note == (
        "board-state",
        "desk",
        {"error-numbers": "0", "mode": "1", "sec-tags": "910000000-910000009", "others": ""},
    )
    assert rig.book.settled == []
    board.driver.offline()
    board.driver.restore()
    assert rig.book.settled == [1]
    board.driver.restore()
    assert len(rig.book.notes) == 1


def test_note_comes_before_the_change(rig: Any) -> None:
    """When the ledger cannot be written the board is not changed."""
    board = rig.board()

    def refuse(*_arguments: Any, **_details: str) -> int:
        raise UsageError("the ledger cannot be written")

    rig.book.note = refuse
    with pytest.raises(UsageError, match="the ledger"):
        board.driver.imei()

    rig.book.note = lambda *_arguments, **_details: 1
    assert board.driver.answer("AT+CMEE?", 5.0) == "+CMEE: 1\r\nOK\r\n"
    board.driver.restore()
    assert board.driver.health()


def test_recovery_after_a_dead_session(rig: Any) -> None:
    """Another process puts back what the dead one left: tags, mode, error numbers."""
    dead = rig.board()
    dead.driver.write_credential(TAG, CredentialType.PSK_IDENTITY, "left")
    details = rig.book.notes[1][2]
    dead.close()

    heir = rig.board()
    heir.driver.recover(details)

    assert rig.credentials() == []
    assert rig.book.settled == []  # whoever called settles the dead session's account
    heir.driver.functional_mode()
    assert rig.book.notes[2][2] == {**details, "mode": "1", "error-numbers": "0"}
    heir.driver.write_credential(TAG, CredentialType.PSK_IDENTITY, "mine")  # the range is ours again


def test_recovery_keeps_what_was_there_before(rig: Any) -> None:
    """A recovery uses the range of the dead session, and leaves what was there before it."""
    filler = rig.board(allow_destructive=True)
    for tag in (5, 6):
        filler.driver.write_credential(tag, CredentialType.PSK_IDENTITY, "x")
    filler.close()

    rig.board().driver.recover({"mode": "4", "error-numbers": "1", "sec-tags": "5-6", "others": "5:4"})

    assert rig.credentials() == [(5, 4)]
    assert rig.opened[-1].driver.answer("AT+CFUN?", 5.0) == "+CFUN: 4\r\nOK\r\n"


@pytest.mark.parametrize(
    "details", [{"mode": "x"}, {"sec-tags": "5"}, {"sec-tags": "a-b"}, {"others": "5"}, {"others": "5:x"}]
)
def test_accounts_that_cannot_be_read(details: dict[str, str]) -> None:
    """A ledger that somebody has spoilt is a clear message."""
    with pytest.raises(UsageError, match="cannot be read"):
        BoardState.from_details(details)


def test_accounts_are_read_as_they_are_written() -> None:
    """What is written down is what is read, also when nothing is said."""
    state = BoardState(error_numbers=True, mode=4, sec_tags=range(5, 8), kept=frozenset({(5, 0), (6, 2)}))

    assert BoardState.from_details(state.details()) == state
    assert BoardState.from_details({}) == BoardState(
        error_numbers=False, mode=1, sec_tags=range(TAG, TAG + 10)
    )


def test_restoring_goes_on_after_a_refusal(rig: Any) -> None:
    """One credential that cannot be deleted keeps nothing else from being put back, and is told."""
    board = rig.board()
    for tag in (TAG, TAG + 1):
        board.driver.write_credential(tag, CredentialType.PSK_IDENTITY, "me")
    rig.controls.call("fail_next", command=f"AT%CMNG=3,{TAG},", outcome=514)

    with pytest.raises(CommandRefused, match="514"):
        board.driver.restore()

    assert rig.credentials() == [(TAG, 4)]
    assert rig.book.settled == []
    board.driver.restore()
    assert rig.credentials() == []
    assert rig.book.settled == [1]
    board.driver.functional_mode()
    assert rig.book.notes[2][2]["mode"] == "1"


def test_restoring_a_silent_board_ends_soon(rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A board that does not answer is not asked for everything in turn."""
    board = rig.board()
    board.driver.imei()
    rig.controls.call("fail_next", command="AT", outcome="silent", times=5)
    asked = rig.opened[0].console.position

    with monkeypatch.context() as patched:
        patched.setattr("harness_nordic.driver_session.COMMAND_SECONDS", 0.2)
        with pytest.raises(ConsoleTimeout, match="AT%CMNG=1"):
            board.driver.restore()

    assert rig.opened[0].console.position == asked
    rig.controls.call("clear_faults")
    board.driver.restore()


def test_secrets_are_made_known(rig: Any) -> None:
    """Every secret that passes the driver is known to the redactor, before the board can repeat it."""
    driver = rig.board().driver
    token, jwt = driver.attestation_token(), driver.jwt()
    driver.write_credential(TAG, CredentialType.PSK, PSK)
    driver.write_credential(TAG, CredentialType.CLIENT_KEY, "-----BEGIN\nkey", password="swordfish")
    driver.write_credential(TAG, CredentialType.PSK_IDENTITY, "harness-identity")
    driver.at(f'AT%CMNG=0,{TAG + 1},3,"{PSK[::-1]}"')
    driver.write_credential(TAG + 2, CredentialType.PSK, "00ff")  # too short to be told from other text

    assert set(rig.secrets) == {
        (token, "attestation token"),
        (jwt, "token"),
        (PSK, "pre-shared key"),
        (PSK[::-1], "pre-shared key"),
        ("-----BEGIN\nkey", "private key"),
        ("swordfish", "key password"),
    }


@pytest.mark.parametrize("outcome", ["silent", 515, "error"])
def test_messages_hold_no_content(rig: Any, outcome: Any) -> None:
    """However a write fails, what it carries is not in the message."""
    driver = rig.board().driver
    rig.controls.call("fail_next", command="AT%CMNG=0", outcome=outcome, times=2)

    for content in (f'"{PSK}"', PSK):
        with pytest.raises((ConsoleTimeout, CommandRefused)) as failure:
            driver.at(f"AT%CMNG=0,{TAG},3,{content}", timeout=0.3 if outcome == "silent" else 10)
        assert PSK not in str(failure.value)
        assert f"AT%CMNG=0,{TAG},3,..." in str(failure.value)


def test_guard_without_restriction() -> None:
    """On a virtual board everything may be changed."""
    guard = SecTagGuard("desk", range(5), restricted=False)
    guard.note_found([(1, 2)])

    guard.check(f"AT%CMNG=3,{FIELD_TAG},0")
    guard.check_unoccupied()
    assert guard.kept == frozenset()
