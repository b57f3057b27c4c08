"""What a board of one slot holds, judged by what the service on paper gave it."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.guardian.making import from_base64url

if TYPE_CHECKING:
    from tests.guardian.virtual.paper_bench import BoardInHand
    from tests.guardian.virtual.paper_service import PaperService


def held(board: BoardInHand, service: PaperService) -> str | None:
    """Return which response the board holds; certificate, key and status must belong together."""
    said, status = board.ask("certificates"), board.status()
    assert int(status["certificates"]) == len(said)
    if not said:
        assert status["response_id"] == "-"
        return None
    leaf = leaf_of(service, status["response_id"])
    assert said["identity"].split()[1] == hashlib.sha256(leaf).hexdigest()
    key = x509.load_der_x509_certificate(leaf).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    signature = bytes.fromhex(board.ask("prove identity 00ff")["signature"])
    key.verify(signature, b"\x00\xff", ec.ECDSA(hashes.SHA256()))
    return status["response_id"]


def leaf_of(service: PaperService, response_id: str) -> bytes:
    """Return the certificate that a response carries."""
    for row in service.rows.values():
        payload = json.loads(from_base64url((row.profile or b".e30.").decode().split(".")[1]))
        if payload.get("response_id") == response_id:
            return base64.b64decode(payload["certificates"][0]["chain"][0])
    raise AssertionError(f"nobody gave response {response_id}")
