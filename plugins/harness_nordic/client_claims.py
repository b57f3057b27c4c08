"""The accounts of a client's claims: each is in the ledger before the service hears of it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.backends.answers import parse_answer
from harness.backends.http import READ_DEADLINE
from harness.errors import BackendFault, RequestRefused, UsageError
from harness_nordic.client_models import BulkRecord, DevicePage, DeviceRecord
from harness_nordic.client_pages import read_pages

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx

    from harness.backends.contract import Accounts
    from harness.backends.http import ServiceHttp
    from harness.backends.ledger import Entry

DEVICES = "/v1/claimed-devices"
CLAIM = "claim"
CLOCKS_APART = 30.0
"""Seconds that the service's clock and ours may differ."""

_CREATED = 201
_NOT_FOUND = 404
_ANSWERED_ROWS = frozenset({200, 201})
_PERHAPS_NOT_THERE = frozenset({403, 410})
"""What the real service may answer for a device that is not the team's; that it is 404 is inferred."""
_OUR_FAULT = range(400, 500)
_ATTESTATION_HEAD = bytes.fromhex("d9d9f7850150")
_UUID_LENGTH = 16
_UNKNOWN = "unknown device"
_TOKEN = re.compile(r"2dn3hQFQ[A-Za-z0-9_-]*")
"""Where an attestation token begins; its first bytes are always the same (section 4.1)."""


@dataclass(slots=True, kw_only=True)
class _Claim:
    """A claim that was made, or may have been.

    :ivar number: of its entry in the ledger.
    :ivar noted: when the call began, in seconds since the epoch.
    """

    device_id: str
    number: int
    noted: float
    made: bool = False


class Claims:
    """What one team claimed here and has not unclaimed."""

    def __init__(
        self, http: ServiceHttp, accounts: Accounts, api_key: str, labels: Mapping[str, str] | None = None
    ) -> None:
        """Claim nothing yet.

        :param http: talks to the service as the team.
        :param accounts: the part of the ledger that is ours.
        :param api_key: the team's key.
        :param labels: what else each entry is to say: the name by which a fake knows the team.
        """
        self._http = http
        self._accounts = accounts
        self._api_key = api_key
        self._labels = dict(labels or {})
        self._claims: list[_Claim] = []
        self._proven: set[str] = set()

    @cached_property
    def whose(self) -> str:
        """What tells the team's key from others."""
        return fingerprint(self._api_key)  # slow on purpose: once, not with every claim

    def post(self, operation: str, body: Any, *, path: str = DEVICES, **content: Any) -> httpx.Response:
        """Send a request to claim, noted before it is sent.

        :param operation: the service's own name of the call; empty takes method and path.
        :param body: JSON with the attestation token.
        :param path: where claims are made.
        :param content: as :meth:`ServiceHttp.send` takes it.
        :return: the answer, whatever its status.
        :raises BackendUnreachable: no answer; whether the claim was made is found out by :meth:`undo`.
        :raises RigFault: it could not be noted, and was not sent.
        """
        token = body.get("claimToken") if isinstance(body, Mapping) else None
        device_id = (device_uuid_of(token) if isinstance(token, str) else None) or _UNKNOWN
        claim = self._begin(device_id)
        response = self._http.send("POST", path, operation=operation, json=body, **content)
        if response.status_code == _CREATED:
            self._finish(claim, response)
        elif response.status_code in _OUR_FAULT:  # refused; an error of the service proves nothing
            self._settle(claim)
        return response

    def post_rows(self, operation: str, body: bytes, **content: Any) -> httpx.Response:
        """Send a body of rows to claim, each device in it noted before it is sent (section 2.4).

        :param operation: see :meth:`post`.
        :param body: CSV with attestation tokens.
        :param content: as :meth:`ServiceHttp.send` takes it.
        :return: the answer, whatever its status.
        :raises BackendUnreachable: see :meth:`post`.
        :raises RigFault: see :meth:`post`.
        """
        found = (device_uuid_of(token) for token in tokens_in(body))
        claims = self._begin_all(dict.fromkeys(device_id for device_id in found if device_id))
        response = self._http.send("POST", DEVICES, operation=operation, content=body, **content)
        if response.status_code in _ANSWERED_ROWS:
            record = parse_answer(BulkRecord, response, operation)
            if record.claimed is not None:  # else it is to be found out what was claimed
                self._finish_rows(claims, record)
        elif response.status_code in _OUR_FAULT:
            self._settle_all(claims)
        return response

    def _finish_rows(self, claims: list[_Claim], record: BulkRecord) -> None:
        """Write down what came of rows; those of which the service says nothing claimed nothing."""
        times = {device.id: device.claimed_at for device in record.devices}
        noted = {claim.device_id for claim in claims}
        claims = claims + self._begin_all(one for one in record.ids if one not in noted)
        made = set(record.ids)
        for claim in claims:
            if claim.device_id in made:
                claim.made = True
                known = {"claimedAt": times[claim.device_id]} if claim.device_id in times else {}
                self._accounts.amend(claim.number, state="made", **known)
        self._settle_all([claim for claim in claims if not claim.made])

    def _begin(self, device_id: str) -> _Claim:
        (claim,) = self._begin_all([device_id])
        return claim

    def _begin_all(self, device_ids: Iterable[str]) -> list[_Claim]:
        noted, wanted = time.time(), list(device_ids)
        if not wanted:
            return []
        numbers = self._accounts.note_all(CLAIM, wanted, state="intended", key=self.whose, **self._labels)
        claims = [
            _Claim(device_id=device_id, number=number, noted=noted)
            for device_id, number in zip(wanted, numbers, strict=True)
        ]
        self._claims += claims
        return claims

    def _finish(self, claim: _Claim, response: httpx.Response) -> None:
        record = parse_answer(DeviceRecord, response, "ClaimDeviceOwnership")
        if record.id != claim.device_id:  # the token could not be read, or the service is mistaken
            known, claim = claim, self._begin(record.id)
            self._settle(known)
        claim.made = True
        self._accounts.amend(claim.number, state="made", claimedAt=record.claimed_at)

    def _settle(self, claim: _Claim) -> None:
        self._settle_all([claim])

    def _settle_all(self, claims: list[_Claim]) -> None:
        self._accounts.settle_all([claim.number for claim in claims])
        numbers = {claim.number for claim in claims}
        self._claims = [claim for claim in self._claims if claim.number not in numbers]

    def gone(self, device_id: str) -> None:
        """A device was unclaimed."""
        for claim in [claim for claim in self._claims if claim.device_id == device_id]:
            self._settle(claim)

    def undo(self) -> list[BackendFault]:
        """Unclaim what is still claimed, newest first.

        :return: what could not be undone, and why; it stays in the ledger.
        """
        faults = []
        for claim in reversed(self._claims):
            try:
                if claim.made:
                    self._unclaim(claim.device_id)
                elif claim.device_id != _UNKNOWN:
                    self._undo_intended(claim.device_id, claim.noted)
            except BackendFault as fault:
                faults.append(fault)
            else:
                self._accounts.settle(claim.number)
        self._claims.clear()
        return faults

    def forget(self) -> None:
        """Leave what is claimed as it is; it stays in the ledger."""
        self._claims.clear()

    # What others left ------------------------------------------------------------------------------------

    def undo_entry(self, entry: Entry) -> str:
        """Undo a claim that a dead worker or session left, if the ledger proves it to be that one.

        :return: what became of it.
        :raises UsageError: it was made with another key.
        :raises BackendFault: the service does not do it, or cannot be asked.
        """
        if entry.details.get("key") != self.whose:
            raise UsageError(
                f"the claim of {entry.subject} was made with another API key",
                key="NRFCLOUD_API_KEY",
                expected="the key that the session had",
            )
        if entry.subject == _UNKNOWN:
            noted = datetime.fromtimestamp(entry.noted, UTC).isoformat(timespec="seconds")
            raise BackendFault(f"it is not known which device was claimed; look for one claimed at {noted}")
        recorded = entry.details.get("claimedAt")
        if not recorded:
            return self._undo_intended(entry.subject, entry.noted)
        claimed_at = self.claimed_at(entry.subject)
        if claimed_at is None:
            return "gone already"
        if claimed_at != recorded:
            return f"claimed anew at {claimed_at}: left alone"
        return self._unclaim(entry.subject)

    def _undo_intended(self, device_id: str, noted: float) -> str:
        """Undo a claim whose answer nobody saw, if the device was claimed when the call was made."""
        claimed_at = self.claimed_at(device_id)
        if claimed_at is None:
            return "never made, or gone already"
        try:
            moment = datetime.fromisoformat(claimed_at).timestamp()
        except ValueError:
            moment = 0.0
        if not noted - CLOCKS_APART <= moment <= noted + READ_DEADLINE + CLOCKS_APART:
            return f"claimed at {claimed_at}, not by this call: left alone"
        return self._unclaim(device_id)

    def may_change(self, device_id: str) -> bool:
        """Tell whether a device was claimed here, or is being unclaimed because the ledger proves it ours."""
        return device_id in self._proven or any(claim.device_id == device_id for claim in self._claims)

    def claimed_at(self, device_id: str) -> str | None:
        """Return when the team claimed a device; ``None`` if it has not."""
        operation = "GetClaimedDevice"
        response = self._http.send("GET", f"{DEVICES}/{device_id}", operation=operation)
        if response.status_code == _NOT_FOUND:
            return None
        if response.status_code in _PERHAPS_NOT_THERE:
            try:
                listed = read_pages(self._http, DEVICES, "ListClaimedDevices", DevicePage)
            except BackendFault as fault:
                text = "the device is to be unclaimed"
                raise RequestRefused(operation, response.status_code, text) from fault
            return next((record.claimed_at for record in listed if record.id == device_id), None)
        if response.status_code != 200:  # noqa: PLR2004 - RFC 9110: OK
            raise RequestRefused(operation, response.status_code, "the device is to be unclaimed")
        return parse_answer(DeviceRecord, response, operation).claimed_at

    def _unclaim(self, device_id: str) -> str:
        self._proven.add(device_id)
        try:
            return self._really_unclaim(device_id)
        finally:
            self._proven.discard(device_id)

    def _really_unclaim(self, device_id: str) -> str:
        path = f"{DEVICES}/{device_id}"
        response = self._http.request("DELETE", path, operation="UnclaimDevice", accept={204, _NOT_FOUND})
        return "gone already" if response.status_code == _NOT_FOUND else "unclaimed"


def fingerprint(api_key: str) -> str:
    """Return what tells a key from others and does not give it away."""
    derived = hashlib.pbkdf2_hmac("sha256", api_key.encode(), b"provisioning harness: whose claim", 10_000)
    return derived[:8].hex()


def tokens_in(body: bytes) -> list[str]:
    """Return the first halves of all attestation tokens in a body, however it is written."""
    return _TOKEN.findall(body.decode("latin-1"))


def device_uuid_of(token: str) -> str | None:
    """Return the device UUID in an attestation token, or ``None`` where there is none to be read.

    It serves to write down what is about to be claimed; whether the token is good is the service's to say.
    """
    body = token.partition(".")[0]
    try:
        data = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except (binascii.Error, ValueError):
        return None
    device = data[len(_ATTESTATION_HEAD) : len(_ATTESTATION_HEAD) + _UUID_LENGTH]
    if not data.startswith(_ATTESTATION_HEAD) or len(device) != _UUID_LENGTH:
        return None
    return str(uuid.UUID(bytes=device))
