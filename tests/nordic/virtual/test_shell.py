"""The board with a Zephyr shell: bytes on its console (nrfcloud fact sheet, sections 3.9, 6.2 and 7.2)."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.nordic.virtual.agent_runs import ID

if TYPE_CHECKING:
    from collections.abc import Callable

PROMPT = b"\x1b[1;32muart:~$ \x1b[m"
BANNER = b"*** Booting nRF Connect SDK v3.1.0 ***\r\n*** Using Zephyr OS v4.1.99 ***\r\n\r\n\r\n" + PROMPT
ANSI = re.compile(r"\x1B\[[0-?]*[ -/]*[@-~]")


@pytest.fixture
def shell(make_board: Callable[..., Any]) -> Any:
    """A board with a shell that is switched on."""
    return make_board("nrf9151dk-shell-virtual")


@pytest.fixture
def said(shell: Any) -> Callable[..., bytes]:
    """Type something and return what the console said at once."""

    def say(typed: bytes) -> bytes:
        start = len(shell.host.sent("console"))
        shell.type(typed)
        sent: bytes = shell.host.sent("console")[start:]
        return sent

    return say


def lines_of(data: bytes) -> list[str]:
    """Read as Nordic's clients do: by lines, stripped, without ANSI sequences; empty ones do not count."""
    found = [ANSI.sub("", line.strip()) for line in data.decode().split("\n")]
    return [line for line in found if line]


def test_boot(shell: Any) -> None:
    """The board says what runs on it, and shows its prompt in green."""
    assert shell.host.sent("console") == BANNER


def test_modem_command(shell: Any, said: Callable[..., bytes]) -> None:
    """Echo, the modem's text, an extra line break, the prompt: unquoted as for the detection, and quoted."""
    imei = shell.board.describe()["imei"].encode()
    reply = b"\r\n" + imei + b"\r\r\nOK\r\r\n\r\n" + PROMPT

    assert said(b"at AT+CGSN\r\n") == b"at AT+CGSN" + reply
    assert said(b"at 'AT+CGSN'\r\n") == b"at 'AT+CGSN'" + reply


@pytest.mark.parametrize(
    ("typed", "last"),
    [
        (b"at AT+CGSN=9", "ERROR"),
        (b"at 'AT%CMNG=3,123,0'", "+CME ERROR: 513"),
        (b"at 'AT%CMNG=1, 4294967294'", "OK"),
        (b"at AT%CMNG=1, 4294967294", "OK"),
        (b"at AT#XNRFPROV", "ERROR"),
        (b"at AT#XRESET", "ERROR"),
        (b"at AT#PROVSTART=1", "ERROR"),
        (b"at AT#PROVCFG", "OK"),
    ],
)
def test_result_is_alone_on_its_line(said: Callable[..., bytes], typed: bytes, last: str) -> None:
    """The word that ends a reply stands alone, the prompt behind it; none of other firmware."""
    said(b"at AT+CFUN=4\rat AT+CMEE=1\r")
    if last == "ERROR":
        said(b"at AT+CMEE=0\r")

    lines = lines_of(said(typed + b"\r\n"))

    assert lines[0] == typed.decode()
    assert lines[-2:] == [last, "uart:~$ "]


def test_certificate_is_stored_with_cr_lf(shell: Any, said: Callable[..., bytes], certificate: str) -> None:
    """Of the two characters backslash and n the shell makes CR LF when a credential is written."""
    said(b"at AT+CFUN=4\r")
    typed = certificate.replace("\n", "\\n")

    reply = said(f"at 'AT%CMNG=0,16842753,0,\"{typed}\"'\r\n".encode())

    assert lines_of(reply)[-2:] == ["OK", "uart:~$ "]
    stored = hashlib.sha256(certificate.replace("\n", "\r\n").encode()).hexdigest().upper()
    (entry,) = [each for each in shell.call("credentials") if each["tag"] == 16842753]
    assert entry["digest"] == stored


def test_only_a_write_gets_line_ends(said: Callable[..., bytes]) -> None:
    """In any other command the two characters are what they are."""
    assert lines_of(said(b"at 'AT%ATTESTTOKEN=\"\\n\"'\r"))[-2] == "ERROR"


def test_silent_modem(shell: Any, said: Callable[..., bytes]) -> None:
    """Where the modem does not answer there is no prompt either; the next line is served."""
    shell.call("fail_next", command="AT+CGMM", outcome="silent")

    assert said(b"at AT+CGMM\r") == b"at AT+CGMM\r\n"
    assert lines_of(said(b"at AT\r"))[-2:] == ["OK", "uart:~$ "]


def test_disturbed_reply(shell: Any, said: Callable[..., bytes]) -> None:
    """What goes wrong with the modem's answers goes wrong through the shell, before the prompt."""
    shell.call("disturb_next", command="AT+CGMM", how="unsolicited", text="+CSCON: 0", inside=True)
    assert lines_of(said(b"at AT+CGMM\r")) == ["at AT+CGMM", "nRF9151-LACA", "+CSCON: 0", "OK", "uart:~$ "]
    shell.call("disturb_next", command="AT+CGMM", how="slow", seconds=0.05)
    start = len(shell.host.sent("console"))
    assert said(b"at AT+CGMM\rat AT\r") == b"at AT+CGMM\r\n"
    sent = shell.host.wait_said(b"at AT\r\nOK\r\r\n\r\n" + PROMPT, start=start)
    assert lines_of(sent) == ["at AT+CGMM", "nRF9151-LACA", "OK", "uart:~$ at AT", "OK", "uart:~$ "]


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (b"AT+CGSN", "AT+CGSN: command not found"),
        (b"att", "att: command not found"),
        (b"at 'AT", "not terminated: '"),
        (b"x " * 21, "Too many arguments in the command."),
        (b"cred add 5 CA", "add: wrong parameter count"),
        (b"kernel version now", "version: wrong parameter count"),
    ],
)
def test_what_is_no_command(said: Callable[..., bytes], typed: bytes, text: str) -> None:
    """The shell says in red what is wrong, and shows its prompt again."""
    reply = said(typed + b"\r")

    assert b"\x1b[1;31m" + text.encode() in reply
    assert reply.endswith(PROMPT)


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        (b"help", "  nrf_provisioning : nRF Provisioning commands"),
        (b"nrf_provisioning", "  interval : Set provisioning interval"),
        (b"nrf_provisioning what", "  interval : Set provisioning interval"),
        (b"kernel reboot", "  warm : Warm reboot."),
        (b"kernel reboot -h", "reboot - Reboot."),
        (b"at -h", "at - Execute an AT command"),
        (b"at", "Usage: at <subcommand>"),
        (b"cred --help", "  add  : Add a TLS credential."),
    ],
)
def test_help(said: Callable[..., bytes], typed: bytes, line: str) -> None:
    """A command says what there is below it."""
    assert f"\r\n{line}\r\n".encode() in said(typed + b"\r")


def test_kernel(shell: Any, said: Callable[..., bytes]) -> None:
    """Version and uptime are told; a reboot says nothing but the banner, and forgets the modem's mode."""
    assert lines_of(said(b"kernel version\r"))[1] == "Zephyr version 4.1.99"
    assert re.fullmatch(r"Uptime: \d+ ms", lines_of(said(b"kernel uptime\r"))[1])
    said(b"at AT+CMEE=1\r")
    start = len(shell.host.sent("console"))

    shell.type(b"kernel reboot warm\r\nat AT+CMEE?\r")

    sent = shell.host.wait_said(PROMPT, start=start)
    assert sent == b"kernel reboot warm\r\n" + BANNER
    assert "+CMEE: 0" in lines_of(said(b"at AT+CMEE?\r"))


def test_identity(shell: Any, said: Callable[..., bytes], unpack: Callable[[str], bytes]) -> None:
    """UUID and token are the board's own; both are followed by an empty line."""
    uuid = shell.call("factory_record")["uuid"]

    assert said(b"nrf_provisioning uuid\r").endswith(f"\r\n{uuid}\r\n\r\n".encode() + PROMPT)
    token = lines_of(said(b"nrf_provisioning token\r"))[1]
    assert len(token) == 180
    assert unpack(token.split(".")[0])[6:22].hex() == uuid.replace("-", "")
    shell.call("fail_next", command="AT%ATTESTTOKEN", outcome="error")
    assert lines_of(said(b"nrf_provisioning token\r"))[1].startswith("Failed to get token")


def test_interval_by_the_shell(shell: Any, said: Callable[..., bytes]) -> None:
    """An interval is stored and counts at once; one that is none is refused or changes nothing."""
    shell.call("configure", scheduled=True)
    assert b"\x1b[1;31mNo interval provided\r\n" in said(b"nrf_provisioning interval\r")
    for typed in (b"-5", b"86400"):
        said(b"nrf_provisioning interval " + typed + b"\r")
        assert shell.call("settings") == {}
    said(b"nrf_provisioning interval 45\r")
    assert shell.call("settings") == {"provisioning/interval-sec": "45"}
    assert 40 < shell.call("schedule")["due_in"] <= 45
    said(b"nrf_provisioning interval soon\r")
    assert shell.call("schedule")["interval"] == 86400


def test_notifications_are_printed_on_demand(shell: Any, said: Callable[..., bytes]) -> None:
    """The modem's notifications come on the console once somebody asked, and not before."""
    said(b"at AT+CEREG=1\r")
    assert b"+CEREG" not in said(b"at AT+CFUN=4\r")
    assert "AT command event handler enabled" in lines_of(said(b"at events_enable\r"))
    said(b"at AT+CFUN=1\r")
    sent = shell.host.wait_said(b"+CEREG: 1")
    assert b"AT event handler:\r\n+CEREG: 1\r\n\r\n" in sent
    said(b"at events_disable\r")
    start = len(shell.host.sent("console"))
    said(b"at AT+CFUN=4\r")
    assert b"+CEREG: 0" not in shell.host.sent("console")[start:]


def test_agent_by_the_shell(shell: Any, service: Any) -> None:
    """``nrf_provisioning now`` polls; the log tells of it above the prompt, and on the trace endpoint."""
    shell.call("set_service", url=service.url)
    start = len(shell.host.sent("console"))

    shell.type(b"nrf_provisioning now\r\n")

    sent = shell.host.wait_said(b"event NO_COMMANDS", start=start)
    sent = shell.host.wait_said(b"\x1b[0m\r\n" + PROMPT, start=start)
    assert b"\x1b[8D\x1b[J[00:00:" in sent
    assert b"\x1b[0m<inf> nrf_provisioning: event NO_COMMANDS\x1b[0m\r\n" in sent
    assert b"XNRFPROV" not in sent
    assert b"event NO_COMMANDS\r\n" in shell.host.wait_said(b"NO_COMMANDS", role="trace")


def test_log_makes_room_for_what_is_typed(shell: Any, service: Any) -> None:
    """A line that is being typed is erased for the log, shown again, and executed whole."""
    shell.call("set_service", url=service.url)
    start = len(shell.host.sent("console"))
    shell.type(b"nrf_provisioning now\rat AT+CG")

    sent = shell.host.wait_said(b"event NO_COMMANDS\x1b[0m\r\n" + PROMPT + b"at AT+CG", start=start)
    assert b"\x1b[16D\x1b[J[" in sent
    shell.type(b"MM\r")
    assert b"nRF9151-LACA\r\r\nOK" in shell.host.wait_said(b"LACA", start=start)


def test_firmware_without_the_agent(make_board: Callable[..., Any]) -> None:
    """Its shell does not know the library's commands."""
    board = make_board("nrf9151dk-shell-virtual", agent=False)

    board.type(b"nrf_provisioning now\r")

    assert b"nrf_provisioning: command not found" in board.host.wait_said(b"not found")


@pytest.mark.parametrize("command", ["AT#PROVSTART", "AT#XNRFPROV"])
def test_agent_by_an_at_command(board: Any, service: Any, command: str) -> None:
    """The library's own AT command starts a run as that of the Serial Modem does."""
    board.call("set_service", url=service.url)

    board.type(command.encode() + b"\r")

    assert board.host.wait_said(b"#XNRFPROV: 0").startswith(b"Ready\r\n\nOK\r\n")
    board.call("configure", agent=False)
    assert board.at(command) == "ERROR\r\n"


def test_stored_configuration_is_listed(board: Any, literal_service: Any) -> None:
    """``AT#PROVCFG`` shows what a configuration has stored."""
    literal_service.commands([f"{ID}.3", 1, {"a/b": "1", "c": "x"}])
    literal_service.status(200)
    board.call("set_service", url=literal_service.url)
    board.type(b"AT#XNRFPROV\r")
    board.host.wait_said(b"#XNRFPROV: 0")

    assert board.at("AT#PROVCFG") == "a/b 1\r\nc x\r\nOK\r\n"


def test_firmware_is_written_anew(board: Any) -> None:
    """Other firmware boots at once, volatile state is gone, credentials stay; the test's end undoes it."""
    board.offline()
    board.at('AT%CMNG=0,5,4,"identity"')

    board.call("configure", discipline="at-shell")
    assert board.host.sent("console").endswith(BANNER)
    board.type(b"AT\r")
    assert b"AT: command not found" in board.host.sent("console")
    assert board.at("AT+CMEE?") == "+CMEE: 0\r\nOK\r\n"
    assert 5 in {entry["tag"] for entry in board.call("credentials")}

    board.host.on_loop(board.board.clear_faults)
    assert board.host.sent("console").endswith(b"\x1b[mReady\r\n")
    assert board.call("configuration")["discipline"] == "at-host"


def test_same_firmware_does_not_boot(board: Any) -> None:
    """Asking for what is there already, or for other buffers, leaves the board running."""
    board.call("configure", discipline="at-host", rx_size=4096)

    assert board.host.sent("console") == b"Ready\r\n"


def test_firmware_written_without_power(board: Any) -> None:
    """A board without power boots its new firmware when the power comes."""
    board.power_off()
    board.call("configure", discipline="at-shell")
    assert board.host.sent("console") == b"Ready\r\n"

    board.power_on()

    assert board.host.sent("console").endswith(BANNER)


@pytest.mark.parametrize(("name", "value"), [("discipline", "raw"), ("lte_control", "nobody")])
def test_firmware_that_cannot_be_built(
    board: Any, make_board: Callable[..., Any], name: str, value: str
) -> None:
    """What is no choice is refused with the choices, and nothing changes."""
    before = board.call("configuration")

    with pytest.raises(ValueError, match=rf"{name} is '{value}'; expected '\w.*' or '"):
        board.call("configure", **{name: value})
    with pytest.raises(ValueError, match=f"{name} is"):
        make_board(**{name: value})

    assert board.call("configuration") == before


def test_power_goes_in_a_command(shell: Any) -> None:
    """A shell whose board loses power says nothing more, and begins anew."""
    shell.call("arm_power_cut", point="after at")
    start = len(shell.host.sent("console"))

    shell.type(b"at AT+CGMM\rat AT+CG")

    assert shell.host.sent("console")[start:] == b"at AT+CGMM\r\n"
    shell.power_on()
    shell.type(b"\x1b[A\r")
    assert shell.host.sent("console").endswith(BANNER + b"\r\n" + PROMPT)
