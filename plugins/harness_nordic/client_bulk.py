"""Several devices at once: claimed by one CSV body; blocked, unblocked and unclaimed one by one.

Bulk claim: nrfcloud fact sheet, section 2.4. The portal blocks, unblocks and unclaims several devices too
(section 2.6), but no call for that is known: it is a loop here, with a result for each.
"""

from __future__ import annotations

import csv
import io
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.backends.answers import parse_answer
from harness.errors import BackendFault, UsageError
from harness_nordic.client_claims import DEVICES, tokens_in
from harness_nordic.client_models import BulkRecord, DevicePage
from harness_nordic.client_objects import ClaimedDevice
from harness_nordic.client_pages import read_pages
from harness_nordic.client_tags import TagCalls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import httpx

OPERATION = "ClaimDeviceOwnership (CSV)"
CSV = "text/csv"
FILTERS, PAGING = "list-filters", "paging"

_ANSWERED = frozenset({200, 201})
_INSEPARABLE = frozenset('"\r\n,')


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRow:
    """A row that claimed nothing, as the service tells of it; how much it tells is not known (section 2.4).

    :ivar row: its number, counted from 1; ``None`` where the service does not say.
    :ivar token: the attestation token in it; empty where the service does not say.
    :ivar message: why; empty where the service does not say.
    """

    row: int | None = None
    token: str = field(default="", repr=False)
    message: str = ""

    @classmethod
    def told(cls, element: Any) -> FailedRow:
        """Take what can be understood of an element of ``failed``."""
        if isinstance(element, str):
            return cls(token=element)
        if not isinstance(element, dict):
            return cls()
        row, token, message = (element.get(name) for name in ("row", "claimToken", "message"))
        return cls(
            row=row if type(row) is int else None,
            token=token if isinstance(token, str) else "",
            message=message if isinstance(message, str) else "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkClaim:
    """What came of a bulk claim, each part in the order in which the service tells it."""

    claimed: tuple[ClaimedDevice, ...]
    failed: tuple[FailedRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemResult:
    """What came of one device in a loop over several.

    :ivar fault: why it was not done; ``None`` when it was.
    """

    device_id: str
    fault: BackendFault | None = None

    @property
    def done(self) -> bool:
        """Whether the service did it."""
        return self.fault is None


class BulkCalls(TagCalls, ABC):
    """What a client can do with several devices; part of :class:`~harness_nordic.client.NrfCloudClient`."""

    @abstractmethod
    def _hide(self, token: str) -> None:
        """Register an attestation token as a secret."""

    def claim_many(self, rows: Iterable[str | tuple[str, Sequence[str]]]) -> BulkClaim:
        """Claim several devices by one call.

        :param rows: attestation tokens, or pairs of a token and the tags for its device.
        :return: the devices that are claimed now, and the rows that failed.
        :raises RequestRefused: the service takes none of it: too many rows, for example.
        :raises UsageError: a tag that no row can hold.
        """
        pairs = [(row, ()) if isinstance(row, str) else row for row in rows]
        tags = [tag for _token, tags in pairs for tag in tags]
        response = self.claim_csv(_csv_body(pairs), content_type=CSV, tags=tags)
        if response.status_code not in _ANSWERED:
            raise self._http.refusal(OPERATION, response)
        record = parse_answer(BulkRecord, response, OPERATION)
        return BulkClaim(
            claimed=self._claimed_by(record),
            failed=tuple(FailedRow.told(element) for element in record.failed),
        )

    def claim_csv(
        self, body: bytes, *, content_type: str | None = None, tags: Sequence[str] = ()
    ) -> httpx.Response:
        """Claim by a body that was written by hand; every device with a token in it is noted before.

        :param content_type: header of the request; ``None`` sends none, as Nordic's own client does.
        :param tags: names of the tags in the rows, which the service may define by the way.
        :return: the answer, whatever its status.
        :raises BackendUnreachable: no answer.
        """
        for token in tokens_in(body):
            self._hide(token)
        headers = {} if content_type is None else {"Content-Type": content_type}
        with self._appearing(tags):
            return self._claims.post_rows(OPERATION, body, headers=headers)

    def _claimed_by(self, record: BulkRecord) -> tuple[ClaimedDevice, ...]:
        known = {device.id: ClaimedDevice(self, device) for device in record.devices}
        if set(record.ids) - set(known):  # the service tells the ids and no more
            known |= {device.id: device for device in self.devices()}
        return tuple(known[device_id] for device_id in record.ids if device_id in known)

    def devices_with(self, **wanted: str) -> list[ClaimedDevice]:
        """Return the team's claimed devices that fit a filter (capability ``list-filters``).

        :param wanted: ``tag``, ``status``, ``deviceType`` or ``imei``, and what it must be.
        :raises RequestRefused: the service has no such filter.
        :raises UsageError: the service is not known to have filters.
        """
        self._require(FILTERS)
        records = read_pages(self._http, DEVICES, "ListClaimedDevices", DevicePage, wanted)
        return [ClaimedDevice(self, record) for record in records]

    def device_page(self, limit: int, token: str | None = None) -> tuple[list[ClaimedDevice], str | None]:
        """Return one page of the team's claimed devices (capability ``paging``).

        :param limit: how many devices it may hold.
        :param token: what the page before it said; ``None`` is the first one.
        :return: the devices, and what gives the next page; ``None`` on the last one.
        :raises RequestRefused: there is no such page.
        :raises UsageError: the service is not known to give pages.
        """
        self._require(PAGING)
        query = {"pageLimit": str(limit)} | ({} if token is None else {"pageNextToken": token})
        operation = "ListClaimedDevices"
        response = self._http.request("GET", DEVICES, operation=operation, accept={200}, params=query)
        page = parse_answer(DevicePage, response, operation)
        return [ClaimedDevice(self, record) for record in page.items], page.next_token

    def block_all(self, devices: Iterable[ClaimedDevice]) -> list[ItemResult]:
        """Block devices one by one; one that cannot be blocked stops no other."""
        return _each(devices, self.block)

    def unblock_all(self, devices: Iterable[ClaimedDevice]) -> list[ItemResult]:
        """Unblock devices one by one; one that cannot be unblocked stops no other."""
        return _each(devices, self.unblock)

    def unclaim_all(self, devices: Iterable[ClaimedDevice]) -> list[ItemResult]:
        """Unclaim devices one by one; one that cannot be unclaimed stops no other."""
        return _each(devices, self.unclaim)


def _each(devices: Iterable[ClaimedDevice], call: Callable[[str], None]) -> list[ItemResult]:
    results = []
    for device in devices:
        fault: BackendFault | None = None
        try:
            call(device.id)
        except BackendFault as caught:
            fault = caught
        results.append(ItemResult(device_id=device.id, fault=fault))
    return results


def _csv_body(rows: Iterable[tuple[str, Sequence[str]]]) -> bytes:
    """Write rows as Nordic's client does: every field in quotes, lines that end with LF."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for token, tags in rows:
        for tag in tags:
            if not tag or _INSEPARABLE & set(tag):
                raise UsageError(
                    "no tag of a row", key="tags", value=tag, expected="no comma, quote or line break"
                )
        writer.writerow([token, ",".join(tags)] if tags else [token])
    return text.getvalue().encode()
