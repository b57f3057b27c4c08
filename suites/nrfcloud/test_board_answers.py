"""The driver and a board whose answers are wrong, late or disturbed: what it says, and that it recovers."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import CommandRefused, ConsoleTimeout, ForbiddenOutput
from harness_nordic.enums import CredentialType
from harness_nordic.judging import jwt_is_signed_by

if TYPE_CHECKING:
    from pathlib import Path

    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="nrf91", needs={"attestation", "virtual"})

KEY_PASSWORD = "open-sesame"


@pytest.fixture
def imei(board: LeasedBoard) -> str:
    """The IMEI of the board, as its factory wrote it down."""
    record: dict[str, str] = board.virtual.call("factory_record")
    return record["imei"]


@pytest.mark.proves("board answer", "a number of an error reaches the test, any number")
def test_refusals_with_a_number(board: LeasedBoard, imei: str) -> None:
    """Each number is told as it came, and the next command works."""
    for number in (0, 50, 513, 515, 518, 519, 523, 527):
        board.virtual.call("fail_next", command="AT+CGSN", outcome=number)
        with pytest.raises(CommandRefused) as refusal:
            board.driver.imei()
        assert refusal.value.code == number

    assert board.driver.imei() == imei


@pytest.mark.proves("board answer", "a plain ERROR has no number; error numbers stay on")
def test_refusal_without_a_number(board: LeasedBoard, imei: str) -> None:
    """A plain ERROR is a refusal too; whether the board had restarted is asked before it is believed."""
    board.virtual.call("fail_next", command="AT+CGSN", outcome="error")

    with pytest.raises(CommandRefused) as refusal:
        board.driver.imei()

    assert refusal.value.code is None
    assert board.driver.at("AT+CMEE?") == ["+CMEE: 1"]
    assert board.driver.imei() == imei


@pytest.mark.proves(
    "board answer", "none: a time-out that names the command; the next answer is the right one"
)
def test_no_reply(board: LeasedBoard, imei: str) -> None:
    """A silent board is said to be silent."""
    board.driver.functional_mode()
    board.virtual.call("fail_next", command="AT+CGMM", outcome="silent")

    with pytest.raises(ConsoleTimeout) as silence:
        board.driver.at("AT+CGMM", timeout=0.05)

    assert "AT+CGMM" in str(silence.value)
    assert board.driver.imei() == imei


@pytest.mark.proves("board answer", "later than was waited for: not taken for the answer of the next command")
def test_reply_that_comes_too_late(board: LeasedBoard, imei: str) -> None:
    """The late answer is nobody's: the next commands get their own."""
    board.driver.functional_mode()
    board.virtual.shape(chunk=1, gap=60)  # its first byte comes, and the others when we let them

    with pytest.raises(ConsoleTimeout):
        board.driver.at("AT+CGMM", timeout=0.05)
    board.virtual.unshape("console")

    assert board.driver.imei() == imei
    assert board.driver.model().startswith("nRF91")


@pytest.mark.proves("board answer", "slow: waited for")
def test_slow_reply(board: LeasedBoard, imei: str) -> None:
    """A slow answer is the answer all the same."""
    board.virtual.call("disturb_next", command="AT+CGSN", how="slow", seconds=0.1)

    assert board.driver.imei() == imei


@pytest.mark.proves("board answer", "byte by byte: read as a whole")
def test_reply_in_pieces(board: LeasedBoard, sec_tag: int, root_ca: str, imei: str, by_console: Any) -> None:
    """However an answer is cut, it is put together again; also a long one."""
    board.driver.write_credential(sec_tag, CredentialType.ROOT_CA, root_ca)
    board.virtual.call("disturb_next", command="AT+CGSN", how="split", size=1, seconds=0.0001)
    board.virtual.call("disturb_next", command="AT%CMNG=1", how="split", size=3, seconds=0.0001)

    assert board.driver.imei() == imei
    assert board.driver.credential_digest(sec_tag, CredentialType.ROOT_CA) == by_console(root_ca)


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.proves("board answer", "lines that nobody asked for in between: not taken for the answer")
def test_unsolicited_line(board: LeasedBoard, imei: str, inside: bool) -> None:  # noqa: FBT001 - a parameter
    """An IMEI is the last line before OK, unless somebody else talks in between."""
    for text in ("+CEREG: 1", '%XTIME: ,"42","01"', "+CSCON: 0"):
        board.virtual.call("disturb_next", command="AT+CGSN", how="unsolicited", text=text, inside=inside)
        assert board.driver.imei() == imei
        assert board.console.wait_unsolicited(text, timeout=5) == text


@pytest.mark.proves("board answer", "garbage before it: the answer is found behind it")
def test_garbage_before_the_reply(board: LeasedBoard, imei: str, sec_tag: int) -> None:
    """Line noise before an answer does not hide it, whatever the noise is."""
    if board.driver.line.is_shell:
        pytest.skip("a shell begins an answer with no line end: noise before it is on its line")
    for seed in range(10):
        board.virtual.call("disturb_next", command="AT+CGSN", how="garbage", size=20, seed=seed)
        assert board.driver.imei() == imei
        board.virtual.call("disturb_next", command="AT+CFUN?", how="garbage", size=20, seed=seed)
        assert board.driver.functional_mode() in {0, 1, 4}


@pytest.mark.proves(
    "credential store", "a digest that does not fit its content shows; the content is still right"
)
def test_digest_of_another_content(board: LeasedBoard, sec_tag: int, root_ca: str, by_console: Any) -> None:
    """Who compares what he wrote with what the board lists sees that something else lies there."""
    board.driver.write_credential(sec_tag, CredentialType.ROOT_CA, root_ca)
    board.virtual.call("disturb_next", command="AT%CMNG=1", how="digest")

    shown = board.driver.credential_digest(sec_tag, CredentialType.ROOT_CA)

    assert shown != by_console(root_ca)
    assert board.driver.credential_digest(sec_tag, CredentialType.ROOT_CA) == by_console(root_ca)


@pytest.mark.proves("credential store", "515 when there is no room, what was there stays")
def test_no_room(
    board: LeasedBoard, sec_tag: int, root_cas: tuple[str, ...], held: Any, by_console: Any
) -> None:
    """A write that does not fit changes nothing, not even what it was to replace."""
    board.driver.write_credential(sec_tag, CredentialType.ROOT_CA, root_cas[0])
    board.virtual.call("set_capacity", size=len(root_cas[0]))

    with pytest.raises(CommandRefused) as refusal:
        board.driver.write_credential(sec_tag, CredentialType.ROOT_CA, "\n".join(root_cas[:2]))

    assert refusal.value.code == 515
    assert held(sec_tag) == {CredentialType.ROOT_CA: by_console(root_cas[0])}


@pytest.mark.proves("credential store", "a key with a password signs only when the password was right")
def test_key_with_a_password(board: LeasedBoard, encrypted_key: tuple[str, bytes]) -> None:
    """The password opens the key that was written with it; without the right one the key is of no use."""
    content, public_key = encrypted_key
    right, wrong, without = board.driver.sec_tags[:3]
    board.driver.write_credential(right, CredentialType.CLIENT_KEY, content, password=KEY_PASSWORD)
    board.driver.write_credential(wrong, CredentialType.CLIENT_KEY, content, password="open-barley")
    board.driver.write_credential(without, CredentialType.CLIENT_KEY, content)

    assert jwt_is_signed_by(board.driver.jwt(tag=right), public_key)
    for tag in (wrong, without):
        with pytest.raises(CommandRefused) as refusal:
            board.driver.jwt(tag=tag)
        assert refusal.value.code == 514


@pytest.fixture
def encrypted_key(material: Path) -> tuple[str, bytes]:
    """A private key (PEM) that :data:`KEY_PASSWORD` opens, and its public half (DER)."""
    public = (material / "client-key-encrypted.pub.pem").read_text()
    body = "".join(line for line in public.splitlines() if not line.startswith("-----"))
    return (material / "client-key-encrypted.sample.pem").read_text().strip(), base64.b64decode(body)


@pytest.mark.proves("clock", "without time no JWT that expires (525), and one that does not")
def test_clock_that_was_never_set(board: LeasedBoard, sec_tag: int) -> None:
    """A modem without time cannot say until when; with the time set by hand it can."""
    board.driver.offline()
    board.virtual.call("network_time", on=False)
    board.virtual.call("set_clock", seconds=None)

    with pytest.raises(CommandRefused) as refusal:
        board.driver.jwt(expiry=300)

    assert refusal.value.code == 525
    assert board.driver.jwt().count(".") == 2
    board.driver.at('AT+CCLK="26/01/02,03:04:05+00"')
    assert board.driver.jwt(expiry=300).count(".") == 2


@pytest.mark.proves("restart", "between two commands: the driver goes on, with error numbers")
def test_restart_between_commands(board: LeasedBoard, sec_tag: int, root_ca: str, held: Any) -> None:
    """A board that restarts unnoticed has forgotten its mode and its error numbers; the driver has not."""
    board.driver.write_credential(sec_tag, CredentialType.ROOT_CA, root_ca)
    board.virtual.reset()

    with pytest.raises(CommandRefused) as refusal:
        board.driver.at(f"AT%CMNG=3,{sec_tag},0")

    assert refusal.value.code == 518
    board.driver.delete_credential(sec_tag, CredentialType.ROOT_CA)
    assert held(sec_tag) == {}


@pytest.mark.proves("restart", "power cut in a write: the old content stays; done again it is the new one")
def test_power_cut_in_a_write(
    board: LeasedBoard, sec_tag: int, root_cas: tuple[str, ...], held: Any, by_console: Any, boot: Any
) -> None:
    """A board that dies while it writes has the old content whole, or the new one whole."""
    board.driver.write_credential(sec_tag, CredentialType.ROOT_CA, root_cas[0])
    for point, expected in (("before flash", root_cas[0]), ("after flash", root_cas[1])):
        board.virtual.call("arm_power_cut", point=point, comes_back=True)
        with pytest.raises(ForbiddenOutput), board.console.forbid(boot):
            board.driver.at(f'AT%CMNG=0,{sec_tag},0,"{root_cas[1]}"')
        assert held(sec_tag) == {CredentialType.ROOT_CA: by_console(expected)}
        board.driver.offline()

    board.driver.write_credential(sec_tag, CredentialType.ROOT_CA, root_cas[2])
    assert held(sec_tag) == {CredentialType.ROOT_CA: by_console(root_cas[2])}


@pytest.mark.proves("faults", "of a board end together: the next test finds it as it was built")
def test_faults_end_together(
    board: LeasedBoard, imei: str, sec_tag: int, root_ca: str, by_console: Any
) -> None:
    """What a test broke on purpose is whole again after it: the harness asks the bench for that each time."""
    virtual = board.virtual
    board.driver.offline()
    virtual.shape(chunk=1, gap=0.0001)
    virtual.call("configure", agent=False, rx_size=700, at_timeout=0.5)
    virtual.call("set_capacity", size=0)
    virtual.call("fail_next", command="AT+CGSN", outcome=515, times=50)
    virtual.call("disturb_next", command="AT+CGSN", how="garbage", times=50)
    virtual.call("arm_power_cut", point="before flash")
    virtual.call("forge", what="token-uuid", times=50)

    virtual.clear_faults()

    still = [] if virtual.call("configuration")["agent"] else ["plain AT firmware"]
    try:
        still += [] if board.driver.imei() == imei else ["a wrong answer"]
        board.driver.write_credential(sec_tag, CredentialType.ROOT_CA, root_ca)
    except CommandRefused as refusal:
        still.append(str(refusal))
    assert still == []
    assert board.driver.credential_digest(sec_tag, CredentialType.ROOT_CA) == by_console(root_ca)
