"""Reads what a client and a service said to each other over TLS 1.3, with the key log that the client wrote.

Clients on OpenSSL write one when ``SSLKEYLOGFILE`` names a file. So an exchange is seen as it went, and
neither end is changed. RFC 8446, sections 5.2, 7.1 and 7.3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

if TYPE_CHECKING:
    from collections.abc import Iterator

_HANDSHAKE = 22
_APPLICATION_DATA = 23
_CLIENT_HELLO = 1
_SERVER_HELLO = 2
_RANDOM_AT = 6  # behind type, length and version
_CHACHA20 = 0x1303
_SUITES: dict[int, tuple[hashes.HashAlgorithm, int]] = {
    0x1301: (hashes.SHA256(), 16),
    0x1302: (hashes.SHA384(), 32),
    _CHACHA20: (hashes.SHA256(), 32),
}


class _Record(NamedTuple):
    kind: int
    header: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets of the two directions of one connection."""

    client: bytes
    server: bytes


def read_key_log(text: str) -> dict[bytes, Secrets]:
    """Return the secrets of every connection in a key log, by the client's random."""
    labels: dict[bytes, dict[str, bytes]] = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        label, random, secret = line.split()
        labels.setdefault(bytes.fromhex(random), {})[label] = bytes.fromhex(secret)
    return {
        random: Secrets(known["CLIENT_TRAFFIC_SECRET_0"], known["SERVER_TRAFFIC_SECRET_0"])
        for random, known in labels.items()
        if "SERVER_TRAFFIC_SECRET_0" in known and "CLIENT_TRAFFIC_SECRET_0" in known
    }


def decrypt(sent: bytes, received: bytes, secrets: dict[bytes, Secrets]) -> tuple[bytes, bytes]:
    """Return what was sent and received below TLS; nothing where the handshake failed.

    :param sent: the bytes that the client sent, from the first one on.
    :param received: what came back.
    :param secrets: see :func:`read_key_log`.
    """
    hello = _hello(sent, _CLIENT_HELLO)
    answer = _hello(received, _SERVER_HELLO)
    if hello is None or answer is None:
        return b"", b""
    known = secrets.get(hello[_RANDOM_AT : _RANDOM_AT + 32])
    if known is None:
        return b"", b""
    session_id_length = answer[_RANDOM_AT + 32]
    (suite,) = struct.unpack_from(">H", answer, _RANDOM_AT + 33 + session_id_length)
    return (
        b"".join(_application_data(sent, known.client, suite)),
        b"".join(_application_data(received, known.server, suite)),
    )


def _records(stream: bytes) -> Iterator[_Record]:
    at = 0
    while at + 5 <= len(stream):
        kind, _version, length = struct.unpack_from(">BHH", stream, at)
        header, body = stream[at : at + 5], stream[at + 5 : at + 5 + length]
        if len(body) < length:
            return  # the connection broke in the middle of it
        yield _Record(kind, bytes(header), bytes(body))
        at += 5 + length


def _hello(stream: bytes, wanted: int) -> bytes | None:
    for record in _records(stream):
        if record.kind == _HANDSHAKE and record.body[:1] == bytes([wanted]):
            return record.body
    return None


def _expand(secret: bytes, label: str, length: int, algorithm: hashes.HashAlgorithm) -> bytes:
    name = b"tls13 " + label.encode()
    info = struct.pack(">HB", length, len(name)) + name + b"\x00"
    return HKDFExpand(algorithm, length, info).derive(secret)


def _application_data(stream: bytes, secret: bytes, suite: int) -> Iterator[bytes]:
    algorithm, key_length = _SUITES[suite]
    cipher_class = ChaCha20Poly1305 if suite == _CHACHA20 else AESGCM
    cipher = cipher_class(_expand(secret, "key", key_length, algorithm))
    nonce = int.from_bytes(_expand(secret, "iv", 12, algorithm))
    number = 0
    for record in _records(stream):
        if record.kind != _APPLICATION_DATA:
            continue
        try:
            plain = cipher.decrypt((nonce ^ number).to_bytes(12), record.body, record.header)
        except InvalidTag:
            # Until the handshake is over records have keys of their own; behind it every one must fit.
            if number:
                raise
            continue
        number += 1
        content = plain.rstrip(b"\x00")
        if content[-1] == _APPLICATION_DATA:
            yield content[:-1]
