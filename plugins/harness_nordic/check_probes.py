"""The questions by which a service is compared with the fake.

The harmless ones change nothing, whatever the service makes of them: they read, ask for what is not there, or
offer what is no token. The others make things in the team and undo them; those about a device need one that
the service's factory knows.
"""

from __future__ import annotations

import json
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import cbor2

from harness.backends.checking import form_of
from harness.errors import HarnessError
from harness_nordic.check_device import report

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from harness_nordic.check_device import CheckDevice

DEVICES = "/v1/claimed-devices"
NOBODY = "00000000-0000-4000-8000-00000000c4ec"
SEC_TAG = 910_000_000
PEM = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
CERTIFICATE = {"serverCertificate": {"secTag": SEC_TAG, "content": PEM}}
FINISHED: dict[str, Any] = {"finished": {}}
MOST_COMMANDS = 20
_OK = 200


class Ask(Protocol):
    """How a service is asked."""

    def __call__(
        self, method: str, path: str, *, part: str = "url", bearer: str | None = "", **content: Any
    ) -> httpx.Response:
        """Send a request.

        :param part: which of the service's hosts.
        :param bearer: what to show instead of the team's key; ``None``: nothing.
        """


class Interview:
    """Asks one service and writes down how it answers: question, aspect, answer."""

    def __init__(self, ask: Ask) -> None:
        """Ask nothing yet."""
        self._ask = ask
        self.answers: dict[str, dict[str, str]] = {}

    def ask(self, question: str, method: str, path: str, **content: Any) -> httpx.Response:
        """Ask, and write down status, content type, form and words of the answer."""
        response = self._ask(method, path, **content)
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

    def quietly(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Ask, and write nothing down."""
        return self._ask(method, path, **content)


def ask_harmlessly(interview: Interview) -> None:
    """Ask what changes nothing."""
    ask = interview.ask
    token = "bm8.dG9rZW4"  # noqa: S105 - two words of base64url, and no token
    ask("devices without a key", "GET", DEVICES, bearer=None)
    ask("devices with a key of nobody", "GET", DEVICES, bearer="nobodys-key")
    ask("devices", "GET", DEVICES)
    ask("devices, a page that cannot be", "GET", DEVICES, params={"pageLimit": "0"})
    ask("devices of a type that there is not", "GET", DEVICES, params={"deviceType": "none"})
    ask("a device that is nobody's", "GET", f"{DEVICES}/{NOBODY}")
    ask("unclaim a device that is nobody's", "DELETE", f"{DEVICES}/{NOBODY}")
    ask("block a device that is nobody's", "POST", f"{DEVICES}/{NOBODY}/block")
    ask("tags of a device that is nobody's", "PUT", f"{DEVICES}/{NOBODY}", json={"tags": []})
    ask("commands of a device that is nobody's", "GET", f"{DEVICES}/{NOBODY}/provisioning")
    ask("a command of a device that is nobody's", "GET", f"{DEVICES}/{NOBODY}/provisioning/{NOBODY}")
    dry = {"params": {"dryrun": "true"}}
    ask("dry run of what is no token", "POST", DEVICES, json={"claimToken": token}, **dry)
    ask("dry run without a token", "POST", DEVICES, json={}, **dry)
    ask("claim of a row that is no token", "POST", DEVICES, content=f'"{token}"\n')
    ask("tags", "GET", f"{DEVICES}/tags")
    ask("tags on the other path", "GET", "/v1/provisioning/tags")
    ask("a tag that there is not", "GET", f"{DEVICES}/tags/{NOBODY}")
    ask("rules", "GET", "/v1/provisioning-rules")
    ask("a rule that there is not", "GET", f"/v1/provisioning-rules/{NOBODY}")
    ask("onboarded devices", "GET", "/v1/devices", part="core")
    ask("an onboarded device that there is not", "GET", f"/v1/devices/{NOBODY}", part="core")
    ask("a bulk operation that there is not", "GET", f"/v1/bulk-ops-requests/{NOBODY}", part="core")
    ask("account", "GET", "/v1/account", part="core")
    fetch = "/v1/provisioning/commands"
    ask("fetch without a JWT", "GET", fetch, part="device", bearer=None)
    ask("fetch with what is no JWT", "GET", fetch, part="device", bearer="no.j.wt")


def ask_in_own_team(interview: Interview) -> None:
    """Make a tag, a rule and an onboarded device, look at them, and delete them."""
    name = f"check-{uuid.uuid4()}"
    made = interview.ask("make a tag", "POST", f"{DEVICES}/tags", json={"tag": name, "description": ""})
    interview.ask("make a tag again", "POST", f"{DEVICES}/tags", json={"tag": name, "description": ""})
    listed = interview.ask("tags, one of them", "GET", f"{DEVICES}/tags")
    tag = _id_of(made) or _find(listed, "tag", name)
    if tag:
        interview.ask("read a tag", "GET", f"{DEVICES}/tags/{tag}")
        interview.ask("delete a tag", "DELETE", f"{DEVICES}/tags/{tag}")


def ask_with_device(interview: Interview, device: CheckDevice) -> None:
    """Claim a device, be that device, and unclaim it."""
    with _Unclaiming(interview, device):
        _ask_about_claims(interview, device)
        _ask_about_commands(interview, device)
    with _Unclaiming(interview, device):
        _ask_about_limits(interview, device)
    with _Unclaiming(interview, device):
        _ask_about_rows(interview, device)


class _Unclaiming:
    """Unclaims the device at the end, whatever happened."""

    def __init__(self, interview: Interview, device: CheckDevice) -> None:
        self._interview = interview
        self._path = f"{DEVICES}/{device.id}"

    def __enter__(self) -> None:
        """Let things be made."""

    def __exit__(self, *_exception: object) -> None:
        """Undo them."""
        with suppress(HarnessError):
            self._interview.quietly("DELETE", self._path)


def _ask_about_claims(interview: Interview, device: CheckDevice) -> None:
    path = f"{DEVICES}/{device.id}"
    _fetch(interview, device, "fetch of a device that nobody claimed")
    interview.ask(
        "dry run of a device that is nobody's",
        "POST",
        DEVICES,
        json={"claimToken": device.token()},
        params={"dryrun": "true"},
    )
    tagged = {"claimToken": device.token(), "tags": [f"check-{uuid.uuid4()}"]}
    answer = interview.ask("claim with a tag that there is not", "POST", DEVICES, json=tagged)
    if answer.status_code != 201:  # noqa: PLR2004 - RFC 9110: created
        interview.ask("claim", "POST", DEVICES, json={"claimToken": device.token()})
    interview.ask("claim twice", "POST", DEVICES, json={"claimToken": device.token()})
    filtered = interview.ask("devices of no IMEI", "GET", DEVICES, params={"imei": "0" * 15})
    interview.note("devices of no IMEI", "number", len(_items(filtered)))
    interview.ask("set the tags of a device", "PUT", path, json={"tags": []})
    interview.ask("block", "POST", f"{path}/block")
    _note_status(interview, "a blocked device", path)
    _fetch(interview, device, "fetch of a blocked device")
    interview.ask("unblock", "POST", f"{path}/unblock")
    _fetch(interview, device, "fetch with a JWT by another key", forged=True)


def _ask_about_commands(interview: Interview, device: CheckDevice) -> None:
    path = f"{DEVICES}/{device.id}"
    commands = f"{path}/provisioning"
    config = {"request": {"config": {"properties": {"check": "1"}}}}
    if interview.ask("make a configuration", "POST", commands, json=config).is_success:
        _run(interview, device)
    certificate = _make(interview, commands, CERTIFICATE, "make a command")
    interview.ask("commands", "GET", commands)
    served = _fetch(interview, device, "fetch of a command")
    interview.note("fetch of a command", "id is the command's", _names(served, certificate))
    interview.note("fetch of a command", "line ends", "CRLF" if b"\r\n" in _texts_in(served) else "LF")
    _note_status(interview, "a command in hand", f"{commands}/{certificate}")
    _report(interview, device, served, "OK\r\n")
    _note_status(interview, "a command that succeeded", f"{commands}/{certificate}")
    _note_status(interview, "a device without finished", path)
    csr = _make(interview, commands, {"certificateSigningRequest": {"secTag": SEC_TAG}})
    _run(interview, device, f'%KEYGEN: "{device.csr(SEC_TAG)}"\r\nOK\r\n')
    interview.ask("a CSR", "GET", f"{commands}/{csr}")
    plain = _make(interview, commands, CERTIFICATE)
    _run(interview, device, "ERROR\r\n")
    _note_status(interview, "a command that was answered ERROR", f"{commands}/{plain}")


def _ask_about_limits(interview: Interview, device: CheckDevice) -> None:
    commands = f"{DEVICES}/{device.id}/provisioning"
    interview.quietly("POST", DEVICES, json={"claimToken": device.token()})
    for _number in range(MOST_COMMANDS):
        _make(interview, commands, FINISHED)
    _run(interview, device)
    interview.ask("make a command behind 20 that are done", "POST", commands, json={"request": CERTIFICATE})
    interview.quietly("DELETE", f"{DEVICES}/{device.id}")
    interview.quietly("POST", DEVICES, json={"claimToken": device.token()})
    failing = _make(interview, commands, CERTIFICATE)
    behind = _make(interview, commands, FINISHED)
    _run(interview, device, "+CME ERROR: 518\r\n", cme_error=518)
    interview.ask("a command that failed", "GET", f"{commands}/{failing}")
    interview.ask("a command behind one that failed", "GET", f"{commands}/{behind}")
    interview.quietly("DELETE", f"{DEVICES}/{device.id}")
    interview.quietly("POST", DEVICES, json={"claimToken": device.token()})
    large = {"serverCertificate": {"secTag": SEC_TAG, "content": PEM * 20}}
    unfit = _make(interview, commands, large)
    _fetch(interview, device, "fetch of what does not fit", room=512)
    _note_status(interview, "a command that does not fit", f"{commands}/{unfit}")


def _ask_about_rows(interview: Interview, device: CheckDevice) -> None:
    interview.ask("claim by a row", "POST", DEVICES, content=f'"{device.token()}"\n')


def _make(interview: Interview, path: str, request: dict[str, Any], question: str | None = None) -> str:
    asked: Callable[..., httpx.Response] = interview.quietly
    if question is None:
        return _id_of(asked("POST", path, json={"request": request})) or NOBODY
    return _id_of(interview.ask(question, "POST", path, json={"request": request})) or NOBODY


def _note_status(interview: Interview, question: str, path: str) -> None:
    body = _json(interview.quietly("GET", path))
    interview.note(question, "shown", body.get("status") if isinstance(body, dict) else "nothing")


def _fetch(
    interview: Interview, device: CheckDevice, question: str, *, forged: bool = False, room: int = 65536
) -> list[Any]:
    query = {"after": "", "rxMaxSize": str(room), "txMaxSize": "65536", "limit": "50"}
    path = "/v1/provisioning/commands"
    bearer = device.jwt(forged=forged)
    response = interview.ask(question, "GET", path, part="device", bearer=bearer, params=query)
    return _commands_in(response)


def _report(
    interview: Interview, device: CheckDevice, served: list[Any], text: str, *, cme_error: int | None = None
) -> None:
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
        interview.quietly(
            "POST",
            "/v1/provisioning/response",
            part="device",
            bearer=device.jwt(),
            content=report(*reports),
            headers={"Content-Type": "application/cbor"},
        )


def _run(
    interview: Interview, device: CheckDevice, text: str = "OK\r\n", *, cme_error: int | None = None
) -> None:
    """Fetch and report once."""
    query = {"after": "", "rxMaxSize": "65536", "txMaxSize": "65536", "limit": "50"}
    path = "/v1/provisioning/commands"
    response = interview.quietly("GET", path, part="device", bearer=device.jwt(), params=query)
    _report(interview, device, _commands_in(response), text, cme_error=cme_error)


def _commands_in(response: httpx.Response) -> list[Any]:
    if response.status_code != _OK:
        return []
    try:
        commands = cbor2.loads(response.content)
    except (cbor2.CBORDecodeError, ValueError):
        return []
    return [each for each in commands if isinstance(each, list)] if isinstance(commands, list) else []


def _names(served: list[Any], command: str) -> bool:
    return any(str(each[0]).startswith(command) for each in served)


def _texts_in(served: list[Any]) -> bytes:
    """Return the texts in what was served."""
    return "".join(text for each in served for text in each if isinstance(text, str)).encode()


def _json(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content)
    except ValueError:
        return None


def _id_of(response: httpx.Response) -> str | None:
    body = _json(response)
    return str(body["id"]) if isinstance(body, dict) and "id" in body else None


def _items(response: httpx.Response) -> list[Any]:
    body = _json(response)
    items = body.get("items") if isinstance(body, dict) else body
    return items if isinstance(items, list) else []


def _find(response: httpx.Response, field: str, wanted: str) -> str | None:
    items = [item for item in _items(response) if isinstance(item, dict)]
    return next((str(item["id"]) for item in items if item.get(field) == wanted), None)
