"""A Guardian that exists on paper only: verifies by jwcrypto, pycose and OpenSSL, certifies by a small CA.

It shares no code with the fake service. Every request is provisioned at once unless a test decides otherwise,
and component instances are counted, so that a test sees when one was counted twice.
"""

from __future__ import annotations

import base64
import json
import threading
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import cbor2
from cryptography import x509
from jwcrypto import jwk, jws  # type: ignore[import-untyped]  # it has no types

from tests.guardian.making import (
    MadeRequest,
    base64url,
    cose_key_of,
    from_base64url,
    make_key,
    make_package,
    pem_of,
    read_cose,
    thumbprint_of,
)
from tests.guardian.making_profiles import make_authority, make_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEADLINE = 10.0
SYSTEM, COMPONENT, HW_ID = "Paper pumps", "pump", "SN-0001"
INSTANCE = {"id": "5d6e3b0c-0a4b-4c1e-9c55-5f3a53e1a001", "name": "Ward A"}
OTHER_INSTANCE = "5d6e3b0c-0a4b-4c1e-9c55-5f3a53e1a002"
SLOTS = {"identity": "P-256", "tls": "P-384", "signing": "Ed25519"}
JSON, PROFILE = "application/json", "application/guardian-cp+jws"


@dataclass
class Row:
    """A request that came.

    :ivar payload: what it says, with base64 as in its JWS form.
    :ivar status: ``provisioned``, ``provisioning``, ``needs_approval``, ``error`` or a rejection.
    :ivar profile: the certified profile, once there is one.
    """

    content: bytes
    payload: dict[str, Any]
    header: dict[str, Any]
    status: str = "needs_approval"
    error_code: str | None = None
    profile: bytes | None = None
    installed: int = 0
    submitted: int = 1

    @property
    def public(self) -> dict[str, Any]:
        """What the service tells of it."""
        return {
            "id": self.payload["request_id"],
            "request_id": self.payload["request_id"],
            "status": self.status,
            "error_code": self.error_code,
        }


@dataclass
class Asked:
    """One HTTP request that came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Reply:
    """What is answered."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def answer_json(status: int, fields: Any, **headers: str) -> Reply:
    """Return an answer of JSON."""
    return Reply(status, json.dumps(fields).encode(), {"Content-Type": JSON, **headers})


class PaperService:
    """Listens on a loopback port; used by one board, and by the test's thread.

    :ivar rows: requests by id, in the order in which they came.
    :ivar instances: component instances by hardware id: the ids under which each was counted.
    :ivar asked: every HTTP request.
    :ivar automatic: whether a request is provisioned as soon as it comes.
    :ivar scripted: answers that come before all others, by method and the end of the path.
    :ivar profile_changes: what certified profiles say otherwise.
    """

    def __init__(self) -> None:
        self.authority = make_authority(SYSTEM)
        self.signer = make_key()
        self.profile_key = make_key()
        self.rows: dict[str, Row] = {}
        self.instances: dict[str, list[str]] = {}
        self.asked: list[Asked] = []
        self.automatic = True
        self.scripted: dict[tuple[str, str], list[Reply | Callable[[], Reply]]] = {}
        self.profile_changes: dict[str, Any] = {}
        self.changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Listen no more."""
        with self.changed:
            self.changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(DEADLINE)

    def package(self, **changes: Any) -> bytes:
        """Return the provisioning package of its system."""
        fields: dict[str, Any] = {
            "system": SYSTEM,
            "instance": INSTANCE,
            "signer": self.signer,
            "profile_signer": self.profile_key,
            "root": self.authority.root,
            "components": {COMPONENT: SLOTS, "sensor": {"identity": "P-256"}},
        }
        return make_package(**{**fields, **changes})

    # -- what a test does --

    def script(self, method: str, end: str, *answers: Reply | Callable[[], Reply]) -> None:
        """Let the next requests of a kind be answered so."""
        self.scripted[method, end] = list(answers)

    def wait_asked(self, method: str, end: str, times: int = 1) -> None:
        """Wait until a request of a kind has come so often."""

        def count() -> bool:
            return sum(each.method == method and each.path.endswith(end) for each in self.asked) >= times

        with self.changed:
            assert self.changed.wait_for(count, DEADLINE), [(each.method, each.path) for each in self.asked]

    def end(self, request_id: str, status: str, error_code: str | None = None) -> None:
        """Let a request fail or be rejected."""
        with self.changed:
            row = self.rows[request_id]
            row.status, row.error_code = status, error_code
            self.changed.notify_all()

    def certify(self, request_id: str) -> bytes:
        """Provision a request."""
        with self.changed:
            row = self.rows[request_id]
            row.profile = self.profile_for(row.payload)
            row.status = "provisioned"
            self._count(row)
            self.changed.notify_all()
            return row.profile

    def profile_for(self, payload: Mapping[str, Any], **changes: Any) -> bytes:
        """Return the certified profile that answers a request, with what a test wants otherwise."""
        return make_profile(
            as_made(payload),
            changes.pop("authority", self.authority),
            changes.pop("signer", self.profile_key),
            instance=INSTANCE,
            leaves=changes.pop("leaves", None),
            issued=changes.pop("issued", None),
            **{**self.profile_changes, **changes},
        )

    def _count(self, row: Row) -> None:
        """Count a component instance: a new one for each initial request."""
        known = self.instances.setdefault(row.payload["hw_id"], [])
        if "x5c" not in row.header:
            known.append(str(uuid.uuid4()))

    # -- what a board does --

    def answer(self, asked: Asked) -> Reply:
        """Answer a request."""
        with self.changed:
            self.asked.append(asked)
            self.changed.notify_all()
            waiting = [
                answers
                for (method, end), answers in self.scripted.items()
                if answers and method == asked.method and asked.path.endswith(end)
            ]
            scripted = waiting[0].pop(0) if waiting else None
        if scripted is not None:
            return scripted if isinstance(scripted, Reply) else scripted()
        row_id, what = self._parts(asked)
        if asked.method == "POST" and not row_id:
            return self._submitted(asked)
        return self._about_row(asked, row_id, what)

    @staticmethod
    def _parts(asked: Asked) -> tuple[str, str]:
        path = urlsplit(asked.path).path.removeprefix("/api/v1/provisioning-requests").strip("/")
        row_id, _slash, what = path.partition("/")
        return row_id, what

    def _about_row(self, asked: Asked, row_id: str, what: str) -> Reply:
        row = self.rows.get(row_id)
        if row is None:
            return answer_json(404, {"title": "Not found"})
        if asked.headers["Authorization"] != f"Guardian-Nonce {row.payload['nonce']}":
            return answer_json(401, {"title": "Unauthorized"})
        if what == "installed" and asked.method == "POST":
            row.installed += 1
            return Reply(204)
        if what == "certified-profile":
            return self._profile(row, int(asked.headers["Prefer"].removeprefix("wait=")))
        return answer_json(200, row.public)

    def _submitted(self, asked: Asked) -> Reply:
        header, payload = self.read(asked.body)
        expected = "jws" if asked.body[:1] == b"{" else "cose"
        assert asked.headers["Content-Type"] == f"application/guardian-pr+{expected}"
        with self.changed:
            row = self.rows.get(payload["request_id"])
            if row is not None:
                assert row.content == asked.body, "the same request id with other bytes"
                row.submitted += 1
                return answer_json(200, row.public)
            row = self.rows[payload["request_id"]] = Row(asked.body, payload, header)
            if "x5c" not in header and self.instances.get(payload["hw_id"]):
                row.status, row.error_code = "error", "DUPLICATE_HW_ID_FAILURE"
            elif self.automatic:
                self.certify(payload["request_id"])
            self.changed.notify_all()
        return answer_json(202, {"request_id": row.public["request_id"], "status": "verifying"}, **LATER)

    def _profile(self, row: Row, seconds: int) -> Reply:
        with self.changed:
            self.changed.wait_for(lambda: row.profile or row.status not in PENDING, seconds)
        if row.profile is not None:
            return Reply(200, row.profile, {"Content-Type": PROFILE})
        if row.status in PENDING:
            return answer_json(202, row.public, **LATER)
        return answer_json(409, {"title": "Failed", "code": row.error_code})

    def read(self, content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        """Read and verify a request by other tools than the board's; the payload comes as JSON has it."""
        if content[:1] != b"{":
            return self._read_cose(content)
        token = jws.JWS()
        token.deserialize(content.decode())
        header: dict[str, Any] = dict(token.jose_header)
        token.verify(self._jwk(header), header["alg"])
        return header, json.loads(token.payload)

    def _jwk(self, header: Mapping[str, Any]) -> Any:
        if "x5c" in header:
            leaf = x509.load_der_x509_certificate(base64.b64decode(header["x5c"][0]))
            key: Any = jwk.JWK.from_pyca(leaf.public_key())
        else:
            key = jwk.JWK.from_pem(pem_of(self.signer).encode())
        assert header["kid"] == key.thumbprint()
        return key

    def _read_cose(self, content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        message = read_cose(content)
        protected = {int(key): value for key, value in cbor2.loads(message.phdr_encoded).items()}
        header: dict[str, Any] = {"alg": protected[1], "kid": protected[4].decode()}
        assert header["kid"] == thumbprint_of(self.signer)
        message.key = cose_key_of(self.signer)
        assert message.verify_signature()
        assert message.payload is not None
        fields = dict(cbor2.loads(message.payload))
        fields["nonce"] = base64url(fields["nonce"])
        fields["csrs"] = [{**item, "csr": base64.b64encode(item["csr"]).decode()} for item in fields["csrs"]]
        return header, fields


LATER = {"Retry-After": "1"}
PENDING = {"needs_approval", "verifying", "provisioning"}


def as_made(payload: Mapping[str, Any]) -> MadeRequest:
    """Return a request as H's tools have one; in the place of private keys there are those of its CSRs."""
    keys: dict[str, Any] = {
        item["slot"]: _Public(x509.load_der_x509_csr(base64.b64decode(item["csr"])))
        for item in payload["csrs"]
    }
    return MadeRequest(content=b"", media_type="", payload=dict(payload), keys=keys)


class _Public:
    """The public half of a key that only the board has; the request must prove that it has it."""

    def __init__(self, request: x509.CertificateSigningRequest) -> None:
        assert request.is_signature_valid
        self._request = request

    def public_key(self) -> Any:
        return self._request.public_key()


def payload_of(content: bytes) -> dict[str, Any]:
    """Return the payload of a flattened JWS, unverified."""
    fields: dict[str, Any] = json.loads(from_base64url(json.loads(content)["payload"]))
    return fields


def _handler(service: PaperService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve(b"")

        def do_POST(self) -> None:
            self._serve(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

        def _serve(self, body: bytes) -> None:
            reply = service.answer(Asked(self.command, self.path, self.headers, body))  # type: ignore[arg-type]  # a message is a mapping, too
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.status != 204:
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                self.close_connection = True  # the board lost its power

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    return Handler
