"""Damaged inputs for the fake of nRF Cloud: what is true, and ways to make it nearly true.

Two kinds of damage: to the bytes, which the outermost parser mostly refuses, and to the meaning, which comes
past it: valid CBOR, JSON, tokens and JWTs, properly signed, whose fields are wrong.
"""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.nordic.paper_device import FIRMWARE, NOW, base64url

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.nordic.paper_device import PaperDevice

ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    2,
    -1,
    24,
    99,
    100,
    101,
    102,
    513,
    2**31,
    2**32,
    2**63,
    2**64 - 1,
    -(2**63),
    0.5,
    1e300,
    "",
    "x",
    "%",
    "\0",
    "é",
    "😀",
    '"',
    "OK\r\n",
    "+CME ERROR: 513\r\n",
    "ERROR\r\n",
    '%KEYGEN: "x.y"\r\nOK\r\n',
    "a" * 46,
    "a" * 5000,
    [],
    [[]],
    [1, [2, [3, [4, [5]]]]],
    {},
    {"a": {"b": {"c": []}}},
)
ODD_CBOR: tuple[Any, ...] = (*ODD, b"", b"\xff" * 16, b"\0" * 64, cbor2.CBORTag(18, []), 2**80, float("nan"))
ODD_TEXT = ("", "0", "-1", "x", "1e9", "9" * 30, "%00", "..", "é", "a" * 5000, " ", "+", "true")


@dataclass(frozen=True, slots=True)
class Input:
    """One request that is nearly right.

    :ivar meant: whether the damage is to the meaning, so that the outermost parser lets it pass.
    """

    method: str
    path: str
    query: str = ""
    key: str = ""
    body: bytes = b""
    content_type: str = "application/json"
    meant: bool = False


def damaged_bytes(random: Random, data: bytes) -> bytes:
    """Cut, change, double or insert a few bytes."""
    for _time in range(random.randint(1, 4)):
        start = random.randint(0, len(data))
        end = min(len(data), start + random.choice((0, 1, 1, 2, 8)))
        piece = random.choice((b"", random.randbytes(random.randint(1, 4)), data[start:end] * 2))
        data = data[:start] + piece + data[end:]
    return data[: random.randint(0, len(data))] if random.random() < 0.1 else data


def damaged_text(random: Random, text: str) -> str:
    """Change, double or take away a few characters of an ASCII text."""
    return damaged_bytes(random, text.encode()).decode("latin-1")


def damaged_value(random: Random, value: Any, odd: tuple[Any, ...] = ODD) -> Any:
    """Change something somewhere in a value of lists and dictionaries."""
    if isinstance(value, list) and value and random.random() < 0.85:
        changed = list(value)
        place = random.randrange(len(changed))
        how = random.random()
        if how < 0.7:
            changed[place] = damaged_value(random, changed[place], odd)
        elif how < 0.8:
            del changed[place]
        elif how < 0.9:
            changed.insert(place, random.choice((changed[place], random.choice(odd))))
        else:
            random.shuffle(changed)
        return changed
    if isinstance(value, dict) and value and random.random() < 0.85:
        changed_map = dict(value)
        key = random.choice(list(changed_map))
        how = random.random()
        if how < 0.75:
            changed_map[key] = damaged_value(random, changed_map[key], odd)
        elif how < 0.85:
            del changed_map[key]
        else:
            changed_map[random.choice(("", "x", "secTag", "crit", "finished"))] = random.choice(odd)
        return changed_map
    if isinstance(value, str) and value and random.random() < 0.4:
        return damaged_text(random, value)
    return random.choice(odd)


def report(random: Random, device: PaperDevice, jwt: str, ids: list[str]) -> Input:
    """Make a report that is nearly right about commands that were handed out.

    :param ids: correlation ids: of a certificate, a deletion, a signing request, a configuration, the end.
    """
    keygen = device.keygen(5, csr=True)
    if random.random() < 0.5:
        keygen = damaged_text(random, keygen)
    right = [
        [ids[0], 100, "OK\r\n"],
        [ids[1], 100, "+CME ERROR: 513\r\n"],
        [ids[2], 100, f'%KEYGEN: "{keygen}"\r\nOK\r\n'],
        [ids[3], 101],
        random.choice(([ids[4], 102], [ids[4], 99, 518, "+CME ERROR: 518\r\n"])),
    ]
    meant = random.random() < 0.6
    if meant:
        body = cbor2.dumps(damaged_value(random, right[: random.randint(1, 5)], ODD_CBOR))
    else:
        body = damaged_bytes(random, cbor2.dumps(right))
    content_type = "application/cbor" if random.random() < 0.97 else random.choice(ODD_TEXT[2:5])
    return Input("POST", "/v1/provisioning/response", "", jwt, body, content_type, meant)


def sign(device: PaperDevice, data: bytes) -> bytes:
    """Sign as the device does: raw ``r || s``."""
    r, s = decode_dss_signature(device.key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def signed_jwt(device: PaperDevice, header: Any, claims: Any) -> str:
    """Make a JWT of whatever header and claims, properly signed."""
    parts = [base64url(json.dumps(part).encode()) for part in (header, claims)]
    signed = ".".join(parts)
    return f"{signed}.{base64url(sign(device, signed.encode()))}"


def fetch(random: Random, device: PaperDevice, jwt: str) -> Input:
    """Make a fetch whose JWT or query is nearly right."""
    meant = random.random() < 0.6
    query = {"after": "", "rxMaxSize": "4096", "txMaxSize": "4096", "limit": "10"}
    if random.random() < 0.3:
        query[random.choice(list(query))] = random.choice(ODD_TEXT)
    elif meant:
        header = {"typ": "JWT", "alg": "ES256", "kid": key_id(device)}
        claims = {"iss": f"nRF9151.{device.id}", "iat": int(NOW), "exp": int(NOW) + 300, "jti": "x"}
        if random.random() < 0.5:
            header = damaged_value(random, header)
        else:
            claims = damaged_value(random, claims)
        jwt = signed_jwt(device, header, claims)
    else:
        jwt = damaged_text(random, jwt)
    # What no HTTP header could carry does not reach the service.
    key = "".join(character for character in jwt if " " <= character <= "~")
    text = "&".join(f"{name}={value}" for name, value in query.items())
    return Input("GET", "/v1/provisioning/commands", text, key, meant=meant)


def key_id(device: PaperDevice) -> str:
    """Return the ``kid`` of a device's key."""
    import hashlib

    prefix = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
    return hashlib.sha256(prefix + device.point).hexdigest()


def claim(random: Random, device: PaperDevice, key: str) -> Input:
    """Make a claim whose token is nearly right, signed properly where the damage is to its meaning."""
    meant = random.random() < 0.7
    if meant:
        items = [1, uuid.UUID(device.id).bytes, 6, uuid.UUID(FIRMWARE).bytes, random.randbytes(16)]
        if random.random() < 0.7:
            items = damaged_value(random, items, ODD_CBOR)
        body = bytes.fromhex("d9d9f7") + cbor2.dumps(items)
        signed = cbor2.dumps(["Signature1", bytes.fromhex("a10126"), body, None])
        parts: Any = [bytes.fromhex("a10126"), {4: b"\x21"}, None, sign(device, signed)]
        if random.random() < 0.4:
            parts = damaged_value(random, parts, ODD_CBOR)
        token = f"{base64url(body)}.{base64url(cbor2.dumps(cbor2.CBORTag(18, parts)))}"
    else:
        token = damaged_text(random, device.token())
    query = "dryrun=true" if random.random() < 0.3 else ""
    return Input(
        "POST", "/v1/claimed-devices", query, key, json.dumps({"claimToken": token}).encode(), meant=meant
    )


def documents(device: PaperDevice, owner: str) -> list[tuple[str, str, Any]]:
    """Return right documents for the management API and the control socket: door, path, document."""
    commands = f"/v1/claimed-devices/{device.id}/provisioning"
    requests: list[Any] = [
        {"serverCertificate": {"secTag": 5, "content": "PEM"}},
        {"certificateSigningRequest": {"secTag": 5, "attributes": "CN=x", "keyUsage": "101010000"}},
        {"preSharedKey": {"secTag": 5, "identity": "me", "secret": "00ff"}},
        {"config": {"properties": {"a": "b"}}},
        {"finished": {}},
    ]
    world = [("world", commands, {"description": "text", "request": request}) for request in requests]
    return [
        *world,
        ("world", "/v1/claimed-devices", {"claimToken": "x.y", "tags": ["a", "b"]}),
        ("world", "/v1/claimed-devices/tags", {"tag": "white", "description": "The white ones."}),
        (
            "world",
            "/v1/provisioning-rules",
            {
                "name": "a rule",
                "description": "text",
                "active": True,
                "commands": [{"request": requests[3]}, {"request": requests[0]}],
                "tags": ["a", "b"],
                "onboarding": {"subType": "x", "fwTypes": ["APP"], "group": "g"},
            },
        ),
        ("control", "/factory", device.record()),
        ("control", "/teams", {"role": "viewer", "owner_id": owner}),
        ("control", "/clock", {"shift": 0}),
        ("control", "/after-error", {"owner": owner, "after_error": "drop"}),
        ("control", "/faults", {"on": "fetch", "kind": "status", "device": device.id, "status": 500}),
    ]


def document(random: Random, right: list[tuple[str, str, Any]], key: str) -> tuple[str, Input]:
    """Make a JSON document that is nearly right; return its door too."""
    door, path, value = random.choice(right)
    meant = random.random() < 0.7
    if meant:
        body = json.dumps(damaged_value(random, value)).encode()
    else:
        body = damaged_bytes(random, json.dumps(value).encode())
    return door, Input("POST", path, "", key, body, meant=meant)


def comes_past(made: Input, parse: Callable[[bytes], Any]) -> bool:
    """Tell whether the outermost parser, another than the fake's own, lets a body pass."""
    try:
        parse(made.body)
    except Exception:  # noqa: BLE001 - parsers of others fail as they like
        return False
    return True


def jwt_is_readable(made: Input) -> bool:
    """Tell whether a JWT has three parts whose first two are JSON."""
    parts = made.key.split(".")
    try:
        for part in parts[:2]:
            json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return False
    return len(parts) == 3
