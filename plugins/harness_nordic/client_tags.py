"""The client's calls about tags, the portal's provisioning groups (nrfcloud fact sheet, section 2.7)."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.backends.answers import parse_answer
from harness.errors import BackendFault
from harness_nordic.client_claims import DEVICES
from harness_nordic.client_definition_models import TagPage, TagRecord
from harness_nordic.client_devices import DeviceCalls
from harness_nordic.client_models import DeviceRecord
from harness_nordic.client_pages import read_pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

    from harness_nordic.client_definitions import Definitions
    from harness_nordic.client_objects import ClaimedDevice

TAGS = "/v1/claimed-devices/tags"
TAG = "tag"
DETAILS, SETTABLE = "tag-details", "device-tags"
DONE = frozenset({200, 201, 202, 204})
"""What a call that changes something may answer: which it is on the real service is unknown."""

_NOT_FOUND = 404


class Tag:
    """A tag: what the service last said of it, and what can be done with it."""

    def __init__(self, client: TagCalls, record: TagRecord) -> None:
        """Hold a tag of a client's team."""
        self._client = client
        self._record = record

    def __repr__(self) -> str:
        """Name the tag."""
        return f"<Tag {self.name!r}>"

    @property
    def id(self) -> str:
        """The id that the service gave it."""
        return self._record.id

    @property
    def name(self) -> str:
        """The name as last read, which is what devices show."""
        return self._record.name

    @property
    def description(self) -> str:
        """What its maker wrote about it."""
        return self._record.description

    def refresh(self) -> Self:
        """Read the tag anew and return it.

        :raises BackendFault: it is gone.
        """
        self._record = self._client.read_tag(self.id)
        return self

    def rename(self, name: str, description: str | None = None) -> None:
        """Give it another name, and another description if there is one; every device shows that.

        :raises RequestRefused: another tag has this name, or it cannot be one.
        """
        self._client.change_tag(self.id, name, self.description if description is None else description)
        self.refresh()

    def delete(self) -> None:
        """Delete it; no device has it any more.

        :raises RequestRefused: it is gone.
        """
        self._client.delete_tag(self.id)

    def devices(self) -> list[ClaimedDevice]:
        """Return the claimed devices in this provisioning group."""
        return [device for device in self._client.devices() if self.name in device.tags]


class TagCalls(DeviceCalls, ABC):
    """What a client can do with tags; part of :class:`~harness_nordic.client.NrfCloudClient`."""

    _tags: Definitions

    @abstractmethod
    def devices(self) -> list[ClaimedDevice]:
        """Return every claimed device of the team."""

    def own_name(self, text: str) -> str:
        """Return a name for something in the service that nobody else would choose.

        :param text: what it begins with.
        """
        session = self._session
        return f"{text}-{session.run_id}-{session.worker}-{secrets.token_hex(4)}"

    def create_tag(self, name: str, description: str = "") -> Tag:
        """Define a tag; it is deleted after the test.

        :raises RequestRefused: there is one of this name, or it cannot be one.
        """
        operation = "CreateTag"
        definition = self._tags.intend(name)
        body = {"tag": name, "description": description}
        response = self._http.send("POST", TAGS, operation=operation, json=body)
        if 400 <= response.status_code < 500:  # noqa: PLR2004 - RFC 9110: the request was not done
            self._tags.never_made([definition])
        if response.status_code not in DONE:
            raise self._http.refusal(operation, response)
        # The real service is not known to answer with the tag; the documents show that it is listed.
        tag = self.tag(name)
        self._tags.made(definition, tag.id)
        return tag

    def tags(self) -> list[Tag]:
        """Return every tag of the team."""
        return [Tag(self, record) for record in self._tag_records()]

    def tag(self, name: str) -> Tag:
        """Return the tag of a name.

        :raises BackendFault: the team has none of this name.
        """
        for tag in self.tags():
            if tag.name == name:
                return tag
        raise BackendFault(f"the service lists no tag {name!r}")

    def read_tag(self, tag_id: str) -> TagRecord:
        """Read a tag, from the list: its own path is not known to be good for it.

        :raises BackendFault: the team has no such tag.
        """
        for record in self._tag_records():
            if record.id == tag_id:
                return record
        raise BackendFault(f"the service lists no tag with the id {tag_id}")

    def change_tag(self, tag_id: str, name: str, description: str) -> None:
        """Rename a tag and describe it anew."""
        body = {"tag": name, "description": description}
        self._http.request("PUT", f"{TAGS}/{tag_id}", operation="UpdateTag", accept=DONE, json=body)

    def delete_tag(self, tag_id: str) -> None:
        """Delete a tag."""
        self._http.request("DELETE", f"{TAGS}/{tag_id}", operation="DeleteTags", accept=DONE)
        self._tags.gone(tag_id)

    def tags_of(self, device_id: str) -> list[str]:
        """Return the names of a device's tags by the documents' own call for it."""
        records = read_pages(self._http, f"{TAGS}/{device_id}", "ListTags (of a device)", TagPage)
        return [record.name for record in records]

    def set_tags(self, device_id: str, tags: Sequence[str]) -> None:
        """Set the tags of a claimed device (capability ``device-tags``).

        :raises RequestRefused: one of them cannot be a tag.
        :raises UsageError: the service is not known to be able to.
        """
        self._require(SETTABLE)
        path, body = f"{DEVICES}/{device_id}", {"tags": list(tags)}
        with self._appearing(tags):
            response = self._http.request(
                "PUT", path, operation="UpdateClaimedDevice", accept={200}, json=body
            )
            parse_answer(DeviceRecord, response, "UpdateClaimedDevice")

    @contextmanager
    def _appearing(self, names: Sequence[str]) -> Iterator[None]:
        """Note the tags that a call is going to define by the way; they are deleted after the test."""
        if not names:
            yield
            return
        known = {record.name for record in self._tag_records()}
        noted = [self._tags.intend(name) for name in dict.fromkeys(names) if name not in known]
        yield
        if noted:
            ids = {record.name: record.id for record in self._tag_records()}
            self._tags.never_made(each for each in noted if each.name not in ids)
            for each in noted:
                if each.name in ids:
                    self._tags.made(each, ids[each.name])

    def _tag_records(self) -> list[TagRecord]:
        return read_pages(self._http, TAGS, "ListTags", TagPage)

    def _find_tag(self, name: str) -> str | None:
        return next((record.id for record in self._tag_records() if record.name == name), None)

    def _remove_tag(self, tag_id: str) -> bool:
        operation = "DeleteTags"
        response = self._http.send("DELETE", f"{TAGS}/{tag_id}", operation=operation)
        if response.status_code in DONE:
            return True
        # How the service says that a tag is not there is not known; its list tells.
        if response.status_code != _NOT_FOUND and any(each.id == tag_id for each in self._tag_records()):
            raise self._http.refusal(operation, response)
        return False
