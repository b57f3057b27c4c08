"""The accounts of what a client makes in the core: each is in the ledger before the core hears of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from harness.backends.answers import parse_answer
from harness.backends.http import READ_DEADLINE
from harness.errors import BackendFault, RequestRefused, UsageError
from harness_nordic.client_claims import CLOCKS_APART
from harness_nordic.client_core_models import CoreDeviceRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.backends.contract import Accounts
    from harness.backends.http import ServiceHttp
    from harness.backends.ledger import Entry

CORE_DEVICES = "/v1/devices"
CORE_DEVICE = "core-device"
UPDATE_JOB = "update-job"
JOBS = "/v1/fota-jobs"

DONE = frozenset({200, 201, 202, 204})
"""What a call that changes something may answer: which it is on the real service is unknown (2.10)."""

_NOT_FOUND = 404


class Whose(Protocol):
    """Tells the team's key from others."""

    @property
    def whose(self) -> str:
        """A fingerprint of the key."""


@dataclass(slots=True, kw_only=True)
class _Made:
    """A device or job that was made, or may have been.

    :ivar number: of its entry in the ledger.
    :ivar noted: when the call began, in seconds since the epoch.
    :ivar expected: whether the device's own provisioning makes it, at whatever time.
    """

    kind: str
    subject: str
    number: int
    noted: float
    expected: bool = False
    made: bool = False


class CoreAccounts:
    """What one team made in the core here and has not deleted."""

    def __init__(
        self, http: ServiceHttp, accounts: Accounts, key: Whose, labels: Mapping[str, str] | None = None
    ) -> None:
        """Have made nothing yet.

        :param http: talks to the core as the team.
        :param accounts: the part of the ledger that is ours.
        :param key: whose fingerprint each entry is to have.
        :param labels: what else each entry is to say: the name by which a fake knows the team.
        """
        self._http = http
        self._accounts = accounts
        self._key = key
        self._labels = dict(labels or {})
        self._all: list[_Made] = []

    def intend(
        self, subjects: Iterable[str], kind: str = CORE_DEVICE, *, expected: bool = False
    ) -> list[int]:
        """Note what is about to be made, and return the numbers of the entries."""
        noted, wanted = time.time(), list(subjects)
        if not wanted:
            return []
        state = "expected" if expected else "intended"
        numbers = self._accounts.note_all(kind, wanted, state=state, key=self._key.whose, **self._labels)
        self._all += [
            _Made(kind=kind, subject=subject, number=number, noted=noted, expected=expected)
            for subject, number in zip(wanted, numbers, strict=True)
        ]
        return numbers

    def made(self, number: int, subject: str | None = None) -> None:
        """Something was made.

        :param subject: which, where that was not known before.
        """
        for each in self._all:
            if each.number == number:
                each.made = True
                each.subject = subject or each.subject
        known = {} if subject is None else {"made": subject}
        self._accounts.amend(number, state="made", **known)

    def never_made(self, numbers: Iterable[int]) -> None:
        """Strike out what was refused."""
        gone = set(numbers)
        self._accounts.settle_all(sorted(gone))
        self._all = [each for each in self._all if each.number not in gone]

    def gone(self, subject: str) -> None:
        """Strike out what was deleted."""
        self.never_made(each.number for each in self._all if each.subject == subject)

    def undo(self) -> list[BackendFault]:
        """Delete what is still there, newest first.

        :return: what could not be deleted, and why; it stays in the ledger.
        """
        faults = []
        for each in reversed(self._all):
            try:
                if each.kind == UPDATE_JOB:
                    self._cancel(each.subject if each.made else None, each.noted)
                elif each.made:
                    self._delete(each.subject)
                else:
                    self._delete_if_ours(each.subject, each.noted, expected=each.expected)
            except BackendFault as fault:
                faults.append(fault)
            else:
                self._accounts.settle(each.number)
        self._all.clear()
        return faults

    def forget(self) -> None:
        """Leave what was made as it is; it stays in the ledger."""
        self._all.clear()

    # What others left ------------------------------------------------------------------------------------

    def undo_entry(self, entry: Entry) -> str:
        """Undo what a dead worker or session left, if the ledger proves it to be that one.

        :return: what became of it.
        :raises UsageError: it was made with another key.
        :raises BackendFault: the service does not do it, or cannot be asked.
        """
        if entry.details.get("key") != self._key.whose:
            raise UsageError(
                f"{entry.subject} was onboarded with another API key",
                key="NRFCLOUD_API_KEY",
                expected="the key that the session had",
            )
        if entry.kind == UPDATE_JOB:
            return self._cancel(entry.details.get("made"), entry.noted)
        return self._delete_if_ours(
            entry.subject, entry.noted, expected=entry.details.get("state") == "expected"
        )

    def _delete_if_ours(self, device_id: str, noted: float, *, expected: bool) -> str:
        """Delete a device if it was onboarded when the call was made, or since when it was expected."""
        created_at = self._created_at(device_id)
        if created_at is None:
            return "never made, or gone already"
        try:
            moment = datetime.fromisoformat(created_at).timestamp()
        except ValueError:
            moment = 0.0
        latest = float("inf") if expected else noted + READ_DEADLINE + CLOCKS_APART
        if not noted - CLOCKS_APART <= moment <= latest:
            return f"onboarded at {created_at or 'a time that is not told'}, not by this call: left alone"
        return self._delete(device_id)

    def _created_at(self, device_id: str) -> str | None:
        operation = "FetchDevice"
        response = self._http.send("GET", device_path(device_id), operation=operation)
        if response.status_code == _NOT_FOUND:
            return None
        if response.status_code != 200:  # noqa: PLR2004 - RFC 9110: OK
            raise RequestRefused(operation, response.status_code, "the device is to be deleted")
        return parse_answer(CoreDeviceRecord, response, operation).meta.created_at

    def _delete(self, device_id: str) -> str:
        response = self._http.request(
            "DELETE", device_path(device_id), operation="DeleteDevice", accept=DONE | {_NOT_FOUND}
        )
        return "gone already" if response.status_code == _NOT_FOUND else "deleted"

    def _cancel(self, job_id: str | None, noted: float) -> str:
        if job_id is None:
            when = datetime.fromtimestamp(noted, UTC).isoformat(timespec="seconds")
            raise BackendFault(f"it is not known which update was ordered; look for one ordered at {when}")
        path = f"{JOBS}/{quote(job_id, safe='')}"
        response = self._http.request("DELETE", path, operation="DeleteFOTAJob", accept=DONE | {_NOT_FOUND})
        return "gone already" if response.status_code == _NOT_FOUND else "cancelled"


def device_path(device_id: str, part: str = "") -> str:
    """Return the path of an onboarded device."""
    return f"{CORE_DEVICES}/{quote(device_id, safe='')}{part}"
