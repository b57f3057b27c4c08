"""Messages and files that other tools made: both ends read them alike; other tools read what both write."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiocoap import Message as AiocoapMessage  # type: ignore[import-untyped] # has no types
from aiocoap.numbers import codes, types  # type: ignore[import-untyped] # as above

from harness_pelion import c_resources
from harness_pelion.enums import DeveloperVariable
from harness_pelion.fake import coap as fake_coap
from harness_pelion.fake import tlv as fake_tlv
from harness_pelion.resources import DeveloperCredentials, UpdateResources
from harness_pelion.virtual import coap as board_coap
from harness_pelion.virtual import tlv as board_tlv
from tests.clients.pelion.mbl_cli_double.c_files import DEVELOPER, parse_c
from tests.pelion.golden import make_golden
from tests.pelion.lwm2m.device_site import Developer, DeviceSite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GOLDEN = Path(__file__).parent / "golden"
MESSAGES: dict[str, dict[str, Any]] = json.loads((GOLDEN / "coap.json").read_text())
TLV: dict[str, str] = json.loads((GOLDEN / "tlv.json").read_text())
SECONDS = 20.0
TOKEN = b"\xda\x7a"


@pytest.mark.parametrize("name", MESSAGES)
def test_coap(name: str) -> None:
    """Both ends read of aiocoap's bytes what aiocoap was told to write, and write the same bytes."""
    golden = MESSAGES[name]
    options = tuple((number, bytes.fromhex(value)) for number, value in golden["options"])
    told = (golden["type"], golden["code"], golden["id"], golden["token"], options, golden["payload"])
    data = bytes.fromhex(golden["bytes"])

    read = fake_coap.parse(data)
    assert (
        int(read.type),
        read.code,
        read.message_id,
        read.token.hex(),
        read.options,
        read.payload.hex(),
    ) == told
    assert fake_coap.encode(read) == data
    there = board_coap.decode(data)
    assert (
        int(there.type),
        there.code,
        there.id,
        there.token.hex(),
        there.options,
        there.payload.hex(),
    ) == told
    assert board_coap.encode(there) == data


def test_golden_messages_are_aiocoaps() -> None:
    """The file has what aiocoap writes today."""
    assert make_golden.messages() == MESSAGES


def fake_tree(entry: fake_tlv.Entry) -> Any:
    """Return an entry as both ends can say it."""
    value = entry.value
    inner = value.hex() if isinstance(value, bytes) else [fake_tree(each) for each in value]
    return [entry.kind.name, entry.identifier, inner]


def board_tree(entry: board_tlv.Entry) -> Any:
    """Return an entry as both ends can say it."""
    holds = entry.kind.name in {"OBJECT_INSTANCE", "MULTIPLE_RESOURCE"}
    inner: Any = [board_tree(each) for each in entry.entries] if holds else entry.value.hex()
    return [entry.kind.name, entry.id, inner]


@pytest.mark.parametrize("name", TLV)
def test_tlv(name: str) -> None:
    """Both ends read the specification's examples alike, and write the same bytes."""
    data = bytes.fromhex(TLV[name])

    entries, there = fake_tlv.decode(data), board_tlv.decode(data)

    assert [fake_tree(each) for each in entries] == [board_tree(each) for each in there]
    assert fake_tlv.encode(entries) == data
    assert b"".join(board_tlv.encode_entry(each.kind, each.id, each.value) for each in there) == data


def test_developer_file() -> None:
    """A file of the fact sheet's layout with OpenSSL's certificate: twelve values, and the ``r`` is kept."""
    text = (GOLDEN / "developer.sample.c").read_text()

    found = c_resources.parse(text)

    assert list(found) == [str(each) for each in DeveloperVariable]
    texts = {
        DeveloperVariable.ENDPOINT_NAME: make_golden.ENDPOINT,
        DeveloperVariable.ACCOUNT_ID: make_golden.ACCOUNT,
        DeveloperVariable.SERVER_URI: (
            f"coaps://bootstrap.us-east-1.mbedcloud.com:5684?aid={make_golden.ACCOUNT}"
        ),
        DeveloperVariable.MANUFACTURER: "dev_manufacturer",
        DeveloperVariable.MODEL_NUMBER: "dev_model_num",
        DeveloperVariable.SERIAL_NUMBER: "0",
        DeveloperVariable.DEVICE_TYPE: "dev_device_type",
        DeveloperVariable.HARDWARE_VERSION: "dev_hardware_version",
        DeveloperVariable.MEMORY_TOTAL_KB: "0",
    }
    files = {
        DeveloperVariable.DEVICE_CERTIFICATE: "developer.sample.der",
        DeveloperVariable.SERVER_ROOT_CA_CERTIFICATE: "bootstrap-ca.sample.der",
        DeveloperVariable.DEVICE_PRIVATE_KEY: "developer-key.sample.der",
    }
    assert found == {
        **{name: value.encode() for name, value in texts.items()},
        **{name: (GOLDEN / file).read_bytes() for name, file in files.items()},
    }
    credentials = DeveloperCredentials.from_c(text, "golden", file="developer.sample.c")
    assert credentials.endpoint_name == make_golden.ENDPOINT


def test_developer_file_as_the_public_client_reads_it() -> None:
    """Its double reads the same but for one letter (pelion fact sheet, section 1.5)."""
    text = (GOLDEN / "developer.sample.c").read_text()
    ours, theirs = c_resources.parse(text), parse_c(text, *DEVELOPER)

    assert {name: value for name, value in theirs.items() if ours[name] != value} == {
        "MBED_CLOUD_DEV_MANUFACTURER": b"dev_manufacture"
    }
    assert theirs.keys() == ours.keys()


def test_developer_file_compiles(tmp_path: Path) -> None:
    """A C compiler has nothing against it."""
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    file = tmp_path / "uses.c"
    file.write_text(f'#include "{GOLDEN / "developer.sample.c"}"\n')
    compiled = subprocess.run(
        ["cc", "-std=c99", "-fsyntax-only", "-Wall", "-Werror", "-Wno-unused", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert compiled.stderr == ""


@pytest.mark.parametrize("version", ["1_5_2", "2_6_2"])
def test_update_file(version: str) -> None:
    """Files of both generations of manifest-tool carry the certificates that the tools wrote beside them."""
    text = (GOLDEN / f"update_{version}.c").read_text()

    resources = UpdateResources.from_c(text, "golden", file=f"update_{version}.c")

    assert resources.certificate_der == (GOLDEN / f"update_{version}.der").read_bytes()
    assert (len(resources.vendor_id), len(resources.class_id)) == (16, 16)


class CoapServer:
    """Answers requests over UDP with one end's code, after reading them with the other's.

    :ivar asked: method, path and query of each request.
    """

    def __init__(self, *, fake_reads: bool) -> None:
        self.asked: list[tuple[int, str, list[bytes]]] = []
        self._fake_reads = fake_reads
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def _serve(self) -> None:
        while True:
            data, sender = self._socket.recvfrom(4096)
            if data == b"end":
                return
            answer = self._fake_answers(data) if not self._fake_reads else self._board_answers(data)
            self._socket.sendto(answer, sender)

    def _fake_answers(self, data: bytes) -> bytes:
        asked = board_coap.decode(data)
        self.asked.append((asked.code, asked.path, list(asked.values(15))))
        content = fake_coap.Message(
            type=fake_coap.Type.ACK,
            code=0x45,
            message_id=asked.id,
            token=asked.token,
            options=((12, b""),),
            payload=b"written by the fake",
        )
        return fake_coap.encode(content)

    def _board_answers(self, data: bytes) -> bytes:
        asked = fake_coap.parse(data)
        path = "/" + "/".join(asked.path)
        self.asked.append((asked.code, path, asked.values(fake_coap.Option.URI_QUERY)))
        content = board_coap.Message(
            type=board_coap.Type.ACK,
            code=0x45,
            id=asked.message_id,
            token=asked.token,
            options=((12, b""),),
            payload=b"written by the board",
        )
        return board_coap.encode(content)

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"end", ("127.0.0.1", self.port))
        self._thread.join(SECONDS)
        self._socket.close()


@pytest.fixture
def coap_server() -> Iterator[Callable[..., CoapServer]]:
    """Start servers that end with the test."""
    servers: list[CoapServer] = []

    def start(*, fake_reads: bool) -> CoapServer:
        servers.append(CoapServer(fake_reads=fake_reads))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.mark.parametrize("fake_reads", [True, False])
def test_libcoap_reads_what_both_write(coap_server: Callable[..., CoapServer], *, fake_reads: bool) -> None:
    """The client of libcoap asks, one end reads that, and the client reads what the other end writes."""
    client = shutil.which("coap-client-openssl")
    if client is None:
        pytest.skip("libcoap's client is not installed: make system-deps")
    server = coap_server(fake_reads=fake_reads)
    long = "x" * 60

    done = subprocess.run(
        [client, "-m", "post", "-B", "10", f"coap://127.0.0.1:{server.port}/rd/5?ep=golden&more={long}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )

    assert done.stdout == f"written by the {'board' if fake_reads else 'fake'}\n"
    assert server.asked == [(2, "/rd/5", [b"ep=golden", f"more={long}".encode()])]


@pytest.fixture(scope="module")
def site() -> Iterator[DeviceSite]:
    """Both servers of the fake."""
    with DeviceSite() as site:
        yield site


def by_openssl(site: DeviceSite, directory: Path, developer: Developer, *claims: str) -> str:
    """Send a bootstrap request that aiocoap writes, through ``openssl s_client``; return its code."""
    pair = directory / "pair.pem"
    pair.write_text(developer.pair.certificate + developer.pair.key)
    authority = directory / "authority.pem"
    authority.write_text(site.issuing.bootstrap.pem)
    message = AiocoapMessage(code=codes.POST)
    message.mtype, message.mid, message.token = types.CON, 0x2222, TOKEN
    message.opt.uri_path, message.opt.uri_query = ("bs",), claims
    client = subprocess.Popen(
        [
            *("openssl", "s_client", "-quiet", "-tls1_2", "-verify_return_error"),
            *("-connect", f"127.0.0.1:{site.bootstrap_port}"),
            *("-cert", str(pair), "-key", str(pair), "-CAfile", str(authority)),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    deadline = threading.Timer(SECONDS, client.kill)
    deadline.start()
    try:
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write(message.encode())
        client.stdin.flush()
        answer = client.stdout.read1(1 << 16)  # type: ignore[attr-defined] # a BufferedReader has it
    finally:
        deadline.cancel()
        client.kill()
        client.communicate()
    assert answer, "the server has closed the connection"
    assert answer[4 : 4 + len(TOKEN)] == TOKEN
    # What the server asks next may have come with it: openssl keeps no records apart.
    return f"{answer[1] >> 5}.{answer[1] & 31:02}"


def test_another_accounts_certificate_by_openssl(site: DeviceSite, tmp_path: Path) -> None:
    """TLS lets in every account's certificate; who bootstraps for another account with it gets 4.03."""
    mine, theirs = site.developer(), site.developer()

    refused = by_openssl(site, tmp_path, mine, f"ep={mine.id}", f"aid={theirs.account.id}", "mccv=3.0.0")
    as_them = by_openssl(site, tmp_path, mine, *theirs.claims)
    taken = by_openssl(site, tmp_path, mine, *mine.claims)

    assert (refused, as_them, taken) == ("4.03", "4.03", "2.04")
    assert site.devices(theirs.account) == []


def test_golden_key_is_pkcs8_of_the_certificate() -> None:
    """OpenSSL finds the same public key in both, and the names of the fact sheet, section 3."""

    def openssl(*words: str) -> str:
        return subprocess.run(["openssl", *words], capture_output=True, text=True, check=True).stdout

    certificate, key = str(GOLDEN / "developer.sample.der"), str(GOLDEN / "developer-key.sample.der")

    assert openssl("x509", "-inform", "DER", "-in", certificate, "-noout", "-pubkey") == openssl(
        "pkey", "-inform", "DER", "-in", key, "-pubout"
    )
    shown = openssl("x509", "-inform", "DER", "-in", certificate, "-noout", "-text")
    assert re.search(rf"OU ?= ?{make_golden.ACCOUNT}, CN ?= ?{make_golden.ENDPOINT}", shown)
    assert "CA:TRUE, pathlen:0" in shown
    assert "TLS Web Client Authentication" in shown
