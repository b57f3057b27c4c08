"""The acceptance list for the board, line by line (nrfcloud fact sheet, section 11).

Everything is typed into its serial line and read from there, but for what the agent does by itself. OpenSSL
and cbor2 judge what is signed and sent.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cbor2
import pytest

from tests.nordic.acceptance import vectors
from tests.nordic.virtual import openssl
from tests.nordic.virtual.agent_runs import run

if TYPE_CHECKING:
    from collections.abc import Callable

MATERIAL = Path(__file__).parents[3] / "suites" / "nrfcloud" / "material"
CA = (MATERIAL / "root-ca-1.pem").read_text(encoding="ascii").strip().replace("\n", "\r\n")
LISTED = re.compile(r'%CMNG: (\d+),(\d+),"([0-9A-F]{64})"')


class Line:
    """The serial line of a board; a reply ends with ``OK`` or an error alone on its line."""

    def __init__(self, board: Any) -> None:
        """Type into a board's console."""
        self._board = board

    def at(self, command: str) -> list[str]:
        """Type a command as the clients do, with CRLF; return the lines of the reply."""
        start = len(self._board.host.sent("console"))
        self._board.type(command.encode() + b"\r\n")
        said = b""
        while not re.search(rb"\n(OK|ERROR|\+CME ERROR: \d+)\r\n$", said):
            said += self._board.host.wait_said(b"\n", start=start + len(said))
        return said.decode().strip().split("\r\n")

    def offline(self) -> None:
        """Take the modem offline, with error numbers on."""
        assert self.at("AT+CFUN=4") == ["OK"]
        assert self.at("AT+CMEE=1") == ["OK"]

    def value(self, command: str) -> str:
        """Return what stands between the quotes of a one-line reply."""
        line, final = self.at(command)
        assert final == "OK"
        return line.split('"')[1]


@pytest.fixture
def line(board: Any) -> Line:
    """The serial line of the board."""
    return Line(board)


def decoded(text: str) -> bytes:
    """Decode base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def key_of(board: Any) -> bytes:
    """Return the identity key that the factory registered, as SubjectPublicKeyInfo."""
    return openssl.point_to_der(bytes.fromhex(board.call("factory_record")["public_key"]))


def test_at_host_discipline(board: Any) -> None:
    """The session of section 6.1, to the byte: no echo, one LF before a reply, CRLF behind its lines."""
    imei = board.call("factory_record")["imei"].encode()
    board.type(b"AT+CMEE=1\r\nAT+CGSN\r\nAT%CMNG=3,123,0\r\n")

    wanted = b"\nOK\r\n\n" + imei + b"\r\nOK\r\n\n+CME ERROR: 518\r\n"

    assert board.host.wait_said(b"518\r\n").endswith(wanted)


@pytest.mark.parametrize(
    "unknown", ["at AT+CGSN", "kernel reboot warm", "nrf_provisioning now", "xyz", "AT+NO"]
)
def test_fast_error_for_unknown_lines(line: Line, unknown: str) -> None:
    """What an AT host does not know is ``ERROR`` at once, without a number; the next command works."""
    assert line.at("AT+CMEE=1") == ["OK"]

    assert line.at(unknown) == ["ERROR"]
    assert line.at("AT") == ["OK"]


def test_cmee_switch(line: Line) -> None:
    """Errors have numbers when they are switched on, and none at power-on."""
    assert line.at("AT+CMEE?") == ["+CMEE: 0", "OK"]
    assert line.at("AT%CMNG=2,123,0") == ["ERROR"]
    assert line.at("AT+CMEE=1") == ["OK"]
    assert line.at("AT%CMNG=2,123,0") == ["+CME ERROR: 513"]
    assert line.at("AT+CMEE=0") == ["OK"]
    assert line.at("AT%CMNG=2,123,0") == ["ERROR"]


@pytest.mark.parametrize(
    "command", ['AT%CMNG=0,5,4,"me"', "AT%CMNG=3,5,4", "AT%KEYGEN=5,2,0"], ids=["write", "delete", "generate"]
)
def test_cfun_gate_518(line: Line, command: str) -> None:
    """What changes the store is refused while the modem is active, and not when it is offline."""
    assert line.at("AT+CMEE=1") == ["OK"]
    assert line.at("AT+CFUN?") == ["+CFUN: 1", "OK"]
    assert line.at(command) == ["+CME ERROR: 518"]
    assert line.at("AT%CMNG=1,5") == ["OK"]
    assert line.at("AT+CFUN=4") == ["OK"]

    assert line.at(command)[-1] in {"OK", "+CME ERROR: 513"}


def test_519_on_occupied_key(line: Line) -> None:
    """A key is not overwritten: whoever wants another one deletes it first."""
    line.offline()
    first = line.value("AT%KEYGEN=5,2,1")
    kept = line.at("AT%CMNG=1,5")

    assert line.at("AT%KEYGEN=5,2,1") == ["+CME ERROR: 519"]
    assert line.at("AT%CMNG=1,5") == kept

    assert line.at("AT%CMNG=3,5,2") == ["OK"]
    assert line.value("AT%KEYGEN=5,2,1") != first


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_cmng_listing_with_digests_of_exact_content(line: Line, end: str) -> None:
    """The digest is SHA-256 in upper case over the text as it came, line breaks and all."""
    content = CA.replace("\r\n", end)
    line.offline()
    assert line.at(f'AT%CMNG=0,5,0,"{content}"') == ["OK"]

    listing = line.at("AT%CMNG=1,5,0")

    assert listing == [f'%CMNG: 5,0,"{hashlib.sha256(content.encode()).hexdigest().upper()}"', "OK"]


def test_quoted_certificates_of_several_lines(board: Any, line: Line) -> None:
    """A terminator between quotes is part of the content, however the bytes come in."""
    line.offline()
    start = len(board.host.sent("console"))
    typed = f'AT%CMNG=0,5,0,"{CA}"\r'.encode()
    border = typed.index(b"\r\n") + 1
    for piece in (typed[:border], typed[border : border + 5], typed[border + 5 :]):
        board.type(piece)
    board.host.wait_said(b"OK\r\n", start=start)

    assert board.at("AT%CMNG=2,5,0").endswith(f',"{CA}"\r\nOK\r\n')


def test_reserved_entries(line: Line) -> None:
    """Three entries are always there: the clients skip precisely these."""
    *entries, final = line.at("AT%CMNG=1")

    assert final == "OK"
    found = [match.groups()[:2] for match in map(LISTED.fullmatch, entries) if match]
    assert found == [("4294967292", "11"), ("4294967293", "10"), ("4294967294", "6")]


def test_token_that_verifies(board: Any, line: Line, tmp_path: Path) -> None:
    """Body, COSE frame and signed bytes are laid out as in section 4.5; OpenSSL verifies the signature."""
    record = board.call("factory_record")
    nonce = "000102030405060708090a0b0c0d0e0f"
    body, cose = map(decoded, line.value(f'AT%ATTESTTOKEN="{nonce}"').split("."))

    device, firmware = (record[name].replace("-", "") for name in ("uuid", "firmware_uuid"))
    assert body.hex() == f"d9d9f7850150{device}0650{firmware}50{nonce}"
    assert cose[:13].hex() == "d28443a10126a1044121f65840"
    signed = bytes.fromhex("846a5369676e61747572653143a101265839") + body + b"\xf6"
    assert openssl.verifies(tmp_path, key_of(board), cose[13:], signed)


def test_keygen_output_that_verifies(board: Any, line: Line, tmp_path: Path) -> None:
    """The payload names device, tag and digest; the identity key has signed it together with the key."""
    line.offline()
    body, cose = map(decoded, line.value(f"AT%KEYGEN={vectors.SEC_TAG},2,1").split("."))

    protected, unprotected, payload, signature = cbor2.loads(cose).value
    assert (protected.hex(), unprotected) == ("a10126", {4: b"\x21"})
    device = board.call("factory_record")["uuid"].replace("-", "")
    digest = hashlib.sha256(body).hexdigest()
    assert len(body) == 91
    assert payload[:-16].hex() == f"d9d9f7850850{device}451a010100015820{digest}50"
    head = bytes.fromhex("846a5369676e61747572653143a10126585b")
    assert openssl.verifies(tmp_path, key_of(board), signature, head + body + b"\x58\x4f" + payload)


def test_jwt_that_verifies(board: Any, line: Line, tmp_path: Path) -> None:
    """The JWT is signed with the identity key, which its ``kid`` names."""
    assert line.at('AT+CCLK="26/11/21,12:00:00+00"') == ["OK"]
    jwt = line.value('AT%JWT=0,300,"",""')
    signed, _, signature = jwt.rpartition(".")
    header = json.loads(decoded(signed.split(".")[0]))

    assert header == {"typ": "JWT", "alg": "ES256", "kid": hashlib.sha256(key_of(board)).hexdigest()}
    assert openssl.verifies(tmp_path, key_of(board), decoded(signature), signed.encode())


def test_compact_json_in_jwt(board: Any, line: Line) -> None:
    """C programs look for the names with the values right behind the colon."""
    record = board.call("factory_record")
    assert line.at('AT+CCLK="26/11/21,12:00:00+00"') == ["OK"]
    header, claims, _ = line.value('AT%JWT=0,300,"",""').split(".")
    text = decoded(claims).decode()

    assert f'"iss":"nRF9151.{record["uuid"]}"' in text
    assert re.search(rf'"jti":"nRF9151\.{record["firmware_uuid"]}\.[0-9a-f]{{32}}"', text)
    made, ends = (int(re.findall(rf'"{name}":(\d+)', text)[0]) for name in ("iat", "exp"))
    assert ends - made == 300
    assert not re.search(r"\s", decoded(header).decode() + text)


@pytest.fixture
def provision(board: Any, literal_service: Any) -> Callable[[int], list[dict[str, Any]]]:
    """Let the agent run once against a service that says literal bytes."""
    board.call("set_service", url=literal_service.url)
    return lambda wanted: run(board, wanted)


def answer(service: Any, *examples: str) -> None:
    """Answer a fetch with the elements of examples, and the report on them with 200."""
    elements = [element for example in examples for element in cbor2.loads(bytes.fromhex(example))]
    service.commands(*elements)
    service.status(200)


def test_agent_reports_as_the_library_does(literal_service: Any, provision: Any) -> None:
    """One ``finished`` and one configuration: the reports are those of the examples, to the byte."""
    literal_service.status(200, bytes.fromhex(vectors.CONFIG), "Content-Type: application/cbor\r\n")
    literal_service.status(200)
    literal_service.status(200, bytes.fromhex(vectors.FINISHED), "Content-Type: application/cbor\r\n")
    literal_service.status(200)

    provision(0)

    reports = [body for head, body in literal_service.requests if head.startswith(b"POST")]
    assert [body.hex() for body in reports] == [vectors.CONFIG_DONE, vectors.FINISHED_DONE]


def test_agent_stops_at_the_first_error(board: Any, literal_service: Any, provision: Any) -> None:
    """What is behind a failing command is neither executed nor reported, ``finished`` neither."""
    board.call("fail_next", command="AT%CMNG=0,5", outcome=518)
    answer(literal_service, vectors.WRITE_CA, vectors.CONFIG, vectors.FINISHED)

    provision(0)

    (report,) = [body for head, body in literal_service.requests if head.startswith(b"POST")]
    assert report.hex() == vectors.ERROR_518
    assert board.call("settings") == {}


def test_agent_reports_an_ignored_error_as_done(literal_service: Any, provision: Any) -> None:
    """Deleting what is not there is 513, which the command says to ignore; the next one is executed."""
    answer(literal_service, vectors.DELETE_AND_CSR)

    provision(0)

    ((delete, generate),) = literal_service.reports()
    known = cbor2.loads(bytes.fromhex(vectors.IGNORED_THEN_OK))
    assert delete == known[0] == [f"{vectors.ID}.1.s", 100, "+CME ERROR: 513\r\n"]
    assert generate[:2] == known[1][:2]
    assert re.fullmatch(r'%KEYGEN: "[\w-]+\.[\w-]+"\r\nOK\r\n', generate[2])


def test_agent_acknowledges_finished_last(literal_service: Any, provision: Any) -> None:
    """Wherever it stands in the batch, ``finished`` is acknowledged behind everything else."""
    answer(literal_service, vectors.FINISHED, vectors.CONFIG)

    provision(0)

    assert literal_service.reports() == [[[f"{vectors.ID}.3", 101], [f"{vectors.ID}.1", 102]]]


def test_agent_says_after_which_command_it_is(board: Any, literal_service: Any, provision: Any) -> None:
    """``after`` names the last command it processed, one that failed too, and is empty after a reboot."""
    board.call("fail_next", command="AT%CMNG=0,5", outcome=518)
    answer(literal_service, vectors.CONFIG)
    answer(literal_service, vectors.WRITE_CA)
    provision(0)
    board.power_off()
    board.power_on()
    literal_service.requests.append((b"", b""))
    provision(0)

    fetches = [head for head, _body in literal_service.requests if head.startswith(b"GET")]
    said = [re.findall(rb"[?&]after=([^& ]*)", head)[0].decode() for head in fetches]
    assert said == ["", f"{vectors.ID}.3", f"{vectors.ID}.2", ""]


def test_shell_discipline(make_board: Callable[..., Any]) -> None:
    """The session of section 6.2: echo, the modem's text, an extra line break, the prompt in its colour."""
    board = make_board(discipline="at-shell")
    imei = board.call("factory_record")["imei"]
    board.host.wait_said(b"uart:~$ ")
    start = len(board.host.sent("console"))

    board.type(b"at AT+CGSN\r\n")

    prompt = b"\x1b[1;32muart:~$ \x1b[m"
    said = board.host.wait_said(prompt, start=start)
    # A shell puts a carriage return before every line feed, also where the modem's text has one already.
    assert re.sub(rb"\r+\n", b"\n", said) == f"at AT+CGSN\n{imei}\nOK\n\n".encode() + prompt


def test_shell_stores_crlf(make_board: Callable[..., Any]) -> None:
    """Backslash and n in what is written become CRLF: the stored text has them, whatever the file had."""
    board = make_board(discipline="at-shell")
    board.at("AT+CFUN=4")
    start = len(board.host.sent("console"))

    typed = CA.replace("\r\n", "\\n")
    board.type(f"at 'AT%CMNG=0,5,0,\"{typed}\"'\r\n".encode())

    board.host.wait_said(b"\nOK\r", start=start)
    assert board.at("AT%CMNG=2,5,0").endswith(f',"{CA}"\r\nOK\r\n')
