"""The transit mount: keys that sign for others and are never seen (guardian fact sheet, section 11.1)."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from harness_guardian.vault.answers import not_found, refused
from harness_guardian.vault.engine_call import NOTHING, Data, EngineCall, Operation, engine_path, run
from harness_guardian.vault.faults import VaultFaultKind
from harness_guardian.vault.fields import flag_field, text_field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from harness_guardian.vault.engine_call import EnginePath

MOST_KEYS = 10_000
_CURVES: dict[str, tuple[ec.EllipticCurve, str]] = {
    "ecdsa-p256": (ec.SECP256R1(), "P-256"),
    "ecdsa-p384": (ec.SECP384R1(), "P-384"),
}
_ED25519 = "ed25519"
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha2-224": hashes.SHA224(),
    "sha2-256": hashes.SHA256(),
    "sha2-384": hashes.SHA384(),
    "sha2-512": hashes.SHA512(),
}
_MARSHALINGS = frozenset({"asn1", "jws"})
_SIGNATURE = re.compile(r"vault:v([1-9][0-9]{0,8}):(.*)", re.DOTALL)

_PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(slots=True)
class _Version:
    key: _PrivateKey = field(repr=False)
    made_at: datetime


@dataclass(slots=True)
class _NamedKey:
    """A key by its name; the newest version signs."""

    type: str
    versions: list[_Version]
    deletion_allowed: bool = False


class TransitEngine:
    """One mount of the transit engine, for signatures only."""

    def __init__(self) -> None:
        """Begin without keys."""
        self._keys: dict[str, _NamedKey] = {}
        self._paths = self._all_paths()

    def handle(self, call: EngineCall) -> Data | Response:
        """Answer a call.

        :raises VaultProblem: it is refused.
        """
        return run(self._paths, call)

    def _all_paths(self) -> Sequence[EnginePath]:
        return [
            engine_path(Operation.LIST, "keys", self._list),
            engine_path(Operation.READ, "keys/:name", self._read),
            engine_path(Operation.WRITE, "keys/:name", self._create),
            engine_path(Operation.DELETE, "keys/:name", self._delete),
            engine_path(Operation.WRITE, "keys/:name/config", self._configure),
            engine_path(Operation.WRITE, "keys/:name/rotate", self._rotate),
            engine_path(Operation.WRITE, "sign/:name", self._sign),
            engine_path(Operation.WRITE, "sign/:name/:hash", self._sign),
            engine_path(Operation.WRITE, "verify/:name", self._verify),
            engine_path(Operation.WRITE, "verify/:name/:hash", self._verify),
        ]

    def _list(self, _call: EngineCall) -> Data:
        if not self._keys:
            raise not_found()
        return Data(data={"keys": sorted(self._keys)})

    def _read(self, call: EngineCall) -> Data:
        name = call.groups[0]
        key = self._keys.get(name)
        if key is None:
            raise not_found()
        return Data(data=_described(name, key))

    def _create(self, call: EngineCall) -> Data:
        name = call.groups[0]
        kind = text_field(call.parameters, "type", "aes256-gcm96")
        if kind not in _CURVES and kind != _ED25519:
            raise refused(f"unknown key type {kind}: this service signs only")
        known = self._keys.get(name)
        if known is None:
            if len(self._keys) >= MOST_KEYS:
                raise refused(f"{MOST_KEYS} keys are the most")
            known = self._keys[name] = _NamedKey(kind, [_new_version(kind)])
        elif known.type != kind:
            raise refused("requested key type does not match existing key type")
        return Data(data=_described(name, known))

    def _configure(self, call: EngineCall) -> Data:
        key = self._keys.get(call.groups[0])
        if key is None:
            raise refused(f"no existing key named {call.groups[0]} could be found")
        key.deletion_allowed = flag_field(call.parameters, "deletion_allowed", default=key.deletion_allowed)
        return Data(data=_described(call.groups[0], key))

    def _rotate(self, call: EngineCall) -> Data:
        key = self._keys.get(call.groups[0])
        if key is None:
            raise refused("key not found")
        key.versions.append(_new_version(key.type))
        return Data(data=_described(call.groups[0], key))

    def _delete(self, call: EngineCall) -> Data:
        key = self._keys.get(call.groups[0])
        if key is None:
            raise refused("could not delete key; not found")
        if not key.deletion_allowed:
            raise refused("deletion is not allowed for this key")
        del self._keys[call.groups[0]]
        return NOTHING

    def _sign(self, call: EngineCall) -> Data:
        key = self._keys.get(call.groups[0])
        if key is None:
            raise refused("signing key not found")
        content = _base64_field(call.parameters, "input")
        version = key.versions[-1].key
        if isinstance(version, ed25519.Ed25519PrivateKey):
            signature, jws = version.sign(content), False
        else:
            algorithm, prehashed = _hash(call, content)
            signature = version.sign(content, ec.ECDSA(Prehashed(algorithm) if prehashed else algorithm))
            jws = _marshaling(call.parameters) == "jws"
            signature = _joined(signature, version) if jws else signature
        if call.forgery is VaultFaultKind.BAD_SIGNATURE:
            signature = signature[:-1] + bytes([signature[-1] ^ 0x01])
        written = _base64url(signature) if jws else base64.b64encode(signature).decode()
        number = len(key.versions)
        return Data(data={"signature": f"vault:v{number}:{written}", "key_version": number, "reference": ""})

    def _verify(self, call: EngineCall) -> Data:
        key = self._keys.get(call.groups[0])
        if key is None:
            raise refused("signature verification key not found")
        content = _base64_field(call.parameters, "input")
        match = _SIGNATURE.fullmatch(text_field(call.parameters, "signature"))
        if match is None:
            raise refused("invalid signature: no prefix")
        number = int(match[1])
        if number > len(key.versions):
            raise refused("invalid signature: version is too new")
        version = key.versions[number - 1].key
        jws = not isinstance(version, ed25519.Ed25519PrivateKey) and _marshaling(call.parameters) == "jws"
        try:
            signature = _from_base64url(match[2]) if jws else base64.b64decode(match[2], validate=True)
        except (binascii.Error, ValueError) as error:
            raise refused("invalid base64 signature value") from error
        return Data(data={"valid": _is_valid(version, signature, content, call, jws=jws)})


def _is_valid(key: _PrivateKey, signature: bytes, content: bytes, call: EngineCall, *, jws: bool) -> bool:
    try:
        if isinstance(key, ed25519.Ed25519PrivateKey):
            key.public_key().verify(signature, content)
            return True
        algorithm, prehashed = _hash(call, content)
        if jws:
            signature = _parted(signature, key)
        key.public_key().verify(
            signature, content, ec.ECDSA(Prehashed(algorithm) if prehashed else algorithm)
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def _described(name: str, key: _NamedKey) -> dict[str, Any]:
    return {
        "name": name,
        "type": key.type,
        "deletion_allowed": key.deletion_allowed,
        "derived": False,
        "exportable": False,
        "allow_plaintext_backup": False,
        "imported_key": False,
        "keys": {
            str(number): {
                "name": _CURVES[key.type][1] if key.type in _CURVES else key.type,
                "creation_time": version.made_at.isoformat().replace("+00:00", "Z"),
                "public_key": _public_text(version.key),
                "certificate_chain": "",
            }
            for number, version in enumerate(key.versions, 1)
        },
        "latest_version": len(key.versions),
        "min_available_version": 0,
        "min_decryption_version": 1,
        "min_encryption_version": 0,
        "supports_decryption": False,
        "supports_derivation": key.type == _ED25519,
        "supports_encryption": False,
        "supports_signing": True,
    }


def _public_text(key: _PrivateKey) -> str:
    """Return a public key as Vault shows it: PEM, but of Ed25519 the bytes in base64."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _new_version(kind: str) -> _Version:
    if kind == _ED25519:
        return _Version(ed25519.Ed25519PrivateKey.generate(), datetime.now(UTC))
    return _Version(ec.generate_private_key(_CURVES[kind][0]), datetime.now(UTC))


def _hash(call: EngineCall, content: bytes) -> tuple[hashes.HashAlgorithm, bool]:
    """Return the hash to use, and whether the caller has used it already."""
    name = text_field(call.parameters, "hash_algorithm") or text_field(call.parameters, "algorithm")
    if len(call.groups) > 1:
        name = call.groups[1]
    algorithm = _HASHES.get(name or "sha2-256")
    if algorithm is None:
        raise refused(f"invalid hash algorithm {name!r}")
    prehashed = flag_field(call.parameters, "prehashed", default=False)
    if prehashed and len(content) != algorithm.digest_size:
        raise refused(f"the input is no digest of {name or 'sha2-256'}")
    return algorithm, prehashed


def _marshaling(parameters: Mapping[str, Any]) -> str:
    name = text_field(parameters, "marshaling_algorithm") or "asn1"
    if name not in _MARSHALINGS:
        raise refused(f"invalid marshaling type {name!r}")
    return name


def _base64_field(parameters: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(text_field(parameters, name), validate=True)
    except (binascii.Error, ValueError) as error:
        raise refused(f"unable to decode {name} as base64: {error}") from error


def _joined(signature: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a signature as JWS has it: both numbers in full length, one behind the other (RFC 7518)."""
    length = (key.key_size + 7) // 8
    return b"".join(number.to_bytes(length, "big") for number in decode_dss_signature(signature))


def _parted(signature: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    length = (key.key_size + 7) // 8
    if len(signature) != 2 * length:
        raise ValueError("not two numbers of the key's length")
    first, second = signature[:length], signature[length:]
    return encode_dss_signature(int.from_bytes(first, "big"), int.from_bytes(second, "big"))


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _from_base64url(text: str) -> bytes:
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
