"""Asking one service the check's questions, as a team and as its device, and writing down the answers."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import cbor2

from harness.backends.checking import form_of
from harness.errors import BackendFault
from harness_nordic.check_books import Books
from harness_nordic.check_device import report
from harness_nordic.client_claims import CLAIM, DEVICES
from harness_nordic.client_core_accounts import CORE_DEVICE, CORE_DEVICES, DONE
from harness_nordic.client_rules import RULE, RULES
from harness_nordic.client_tags import TAG, TAGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import httpx

    from harness_nordic.check_books import Made, Side
    from harness_nordic.check_device import CheckDevice

NOBODY = "00000000-0000-4000-8000-00000000c4ec"

_OK = 200
_FETCH = "/v1/provisioning/commands"
_REPORT = "/v1/provisioning/response"


class Interview:
    """Asks one service and writes down how it answers: question, aspect, answer.

    What a question makes is noted before it is asked.

    :ivar side: the service.
    :ivar books: what was made there and is not undone.
    """

    def __init__(self, side: Side) -> None:
        """Ask nothing yet."""
        self.side = side
        self.books = Books(side)
        self.answers: dict[str, dict[str, str]] = {}

    def ask(self, question: str, method: str, path: str, **content: Any) -> httpx.Response:
        """Ask, and write down status, content type, form and words of the answer; without a question nothing.

        :param content: as :class:`~harness_nordic.check_books.Ask` takes it.
        """
        response = self.side.ask(method, path, **content)
        if not question:
            return response
        noted = {"status": str(response.status_code)}
        if response.content:
            noted["content type"] = response.headers.get("content-type", "none").partition(";")[0]
        with suppress(ValueError):
            body = json.loads(response.content)
            noted["form"] = json.dumps(form_of(body))
            if isinstance(body, dict) and isinstance(body.get("message"), str):
                noted["words"] = body["message"]
        self.answers[question] = noted
        return response

    def note(self, question: str, aspect: str, found: object) -> None:
        """Write down something else."""
        self.answers.setdefault(question, {})[aspect] = str(found)

    def note_field(self, question: str, path: str, field: str = "status", *, part: str = "url") -> None:
        """Read something, and write down what one of its fields is."""
        body = json_of(self.side.ask("GET", path, part=part))
        self.note(question, "shown", body.get(field) if isinstance(body, dict) else "nothing")

    # What is made ------------------------------------------------------------------------------------

    def claim(
        self, device: CheckDevice, question: str = "", *, tags: Sequence[str] = (), defines: bool = False
    ) -> httpx.Response:
        """Claim the device.

        :param defines: whether nobody has defined the tags yet: they may be defined by it.
        """
        noted = [self.books.intend(TAG, tag) for tag in tags if defines]
        claim = self.books.intend(CLAIM, device.id)
        body: dict[str, Any] = {"claimToken": device.token()}
        response = self.ask(question, "POST", DEVICES, json={**body, "tags": list(tags)} if tags else body)
        self.books.answered(claim, response)
        if response.is_client_error:
            for tag in noted:
                self.books.answered(tag, response)
        return response

    def claim_by_row(self, device: CheckDevice, question: str) -> None:
        """Claim the device by a body of one row."""
        claim = self.books.intend(CLAIM, device.id)
        response = self.ask(question, "POST", DEVICES, content=f'"{device.token()}"\n')
        if response.is_client_error:  # else the rows say it, and in which form is what is to be found out
            self.books.answered(claim, response)

    def unclaim(self, device: CheckDevice) -> None:
        """Unclaim the device."""
        if self.side.ask("DELETE", f"{DEVICES}/{device.id}").status_code in DONE:
            self.books.gone(CLAIM, device.id)

    @contextmanager
    def claimed(self, device: CheckDevice) -> Iterator[None]:
        """Leave the device unclaimed behind the block."""
        try:
            yield
        finally:
            with suppress(BackendFault):  # it is in the books, and the end of the check tries again
                self.unclaim(device)

    def make_tag(self, name: str, question: str = "") -> Made:
        """Define a tag."""
        made = self.books.intend(TAG, name)
        body = {"tag": name, "description": ""}
        self.books.answered(made, self.ask(question, "POST", TAGS, json=body))
        return made

    def make_rule(self, body: Mapping[str, Any], question: str = "") -> Made:
        """Make a rule of tags that are defined already."""
        made = self.books.intend(RULE, str(body["name"]))
        self.books.answered(made, self.ask(question, "POST", RULES, json=dict(body)))
        return made

    def onboard(self, rows: Mapping[str, str], question: str) -> httpx.Response:
        """Onboard devices into the core.

        :param rows: by the ids of the devices.
        """
        noted = [self.books.intend(CORE_DEVICE, device_id) for device_id in rows]
        text = "".join(f"{row}\n" for row in rows.values())
        headers = {"Content-Type": "text/csv"}
        response = self.ask(question, "POST", CORE_DEVICES, part="core", content=text, headers=headers)
        if response.is_client_error:
            for made in noted:
                self.books.answered(made, response)
        return response

    # The device --------------------------------------------------------------------------------------

    def command(self, device: CheckDevice, request: Mapping[str, Any], question: str = "") -> str:
        """Make a command for the device, and return its id."""
        path = f"{DEVICES}/{device.id}/provisioning"
        response = self.ask(question, "POST", path, json={"request": dict(request)})
        body = json_of(response)
        return str(body["id"]) if isinstance(body, dict) and "id" in body else NOBODY

    def fetch(
        self, device: CheckDevice, question: str = "", *, forged: bool = False, room: int = 65536
    ) -> list[list[Any]]:
        """Fetch commands as the device, and return them.

        :param forged: show a JWT that another key signed.
        :param room: bytes that the device can receive.
        """
        query = {"after": "", "rxMaxSize": str(room), "txMaxSize": "65536", "limit": "50"}
        bearer = device.jwt(forged=forged)
        return _commands_in(self.ask(question, "GET", _FETCH, part="device", bearer=bearer, params=query))

    def report(
        self,
        device: CheckDevice,
        served: list[list[Any]],
        text: str = "OK\r\n",
        *,
        cme_error: int | None = None,
    ) -> None:
        """Report on commands as the device.

        :param text: what the modem says to each.
        :param cme_error: the error that the first one fails with.
        """
        reports: list[list[Any]] = []
        for command in served:
            if command[1] == 1:
                reports.append([command[0], 101])
            elif command[1] == 2:  # noqa: PLR2004 - finished
                reports.append([command[0], 102])
            elif cme_error is not None:
                reports.append([command[0], 99, cme_error, text])
                break
            else:
                reports.append([command[0], 100, "OK\r\n" if command[0].endswith(".s") else text])
        if reports:
            headers = {"Content-Type": "application/cbor"}
            bearer, content = device.jwt(), report(*reports)
            self.side.ask("POST", _REPORT, part="device", bearer=bearer, content=content, headers=headers)

    def run(self, device: CheckDevice, text: str = "OK\r\n", *, cme_error: int | None = None) -> None:
        """Fetch and report once as the device."""
        self.report(device, self.fetch(device), text, cme_error=cme_error)


def new_name() -> str:
    """Return a name that nobody else would choose."""
    return f"check-{uuid.uuid4()}"


def json_of(response: httpx.Response) -> Any:
    """Return the JSON of an answer; ``None`` where it is none."""
    try:
        return json.loads(response.content)
    except ValueError:
        return None


def items_of(response: httpx.Response) -> list[Any]:
    """Return the items of a list or a page."""
    body = json_of(response)
    items = body.get("items") if isinstance(body, dict) else body
    return items if isinstance(items, list) else []


def _commands_in(response: httpx.Response) -> list[list[Any]]:
    if response.status_code != _OK:
        return []
    try:
        commands = cbor2.loads(response.content)
    except (cbor2.CBORDecodeError, ValueError):
        return []
    return [each for each in commands if isinstance(each, list)] if isinstance(commands, list) else []
