"""What the agent does with the service, step by step: submit, wait, install, complete; and for others.

Source: guardian fact sheet, sections 1.1 (connected and proxy provisioning) and 10.5. Each function is a run
of the agent or part of one, on the run's thread.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness_guardian.enums import ERROR_LABELS, STATUS_TEXTS, ErrorCode, Status
from harness_guardian.virtual import files, request
from harness_guardian.virtual.errors import AgentRefusal, failed, not_found
from harness_guardian.virtual.replies import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness_guardian.virtual.component import Wishes
    from harness_guardian.virtual.exchange import Answer
    from harness_guardian.virtual.records import Pending
    from harness_guardian.virtual.session import Session

_ROWS = "/provisioning-requests"
_OK, _ACCEPTED, _NOT_FOUND, _GONE = 200, 202, 404, 410
_FIRST_GOOD, _FIRST_OTHER = 200, 300
#: After these the same bytes are refused for ever: the service could make nothing of them.
_HOPELESS = frozenset({400, 413, 415, 422})
#: After these it is worth while to ask again.
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
_DEAD = frozenset({Status.ERROR, Status.REJECTED_BY_SYSTEM, Status.REJECTED_BY_USER})
_USUAL_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


@dataclass(frozen=True, slots=True)
class _Row:
    """A request as its device may ask for it."""

    request_id: str
    nonce: str

    @property
    def path(self) -> str:
        return f"{_ROWS}/{quote(self.request_id, safe='')}"

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Guardian-Nonce {self.nonce}"}


class _Dead(Exception):
    """The request has failed, or was rejected, for good; the text is that of the service."""


# -- runs --------------------------------------------------------------------------------------------------


def make_request(session: Session, wishes: Wishes) -> Reply:
    """Make a request, or keep the open one if it is what is wanted and can still succeed."""
    return Reply(lines=(f"request_id: {_provide(session, wishes).request_id}",))


def submit(session: Session) -> Reply:
    """Submit the request."""
    content = session.on_loop(lambda: session.component.files.get(files.REQUEST))
    try:
        return _told(*_submit(session, content))
    except _Dead as error:
        session.on_loop(session.component.discard_request)
        raise failed(str(error)) from error


def provision(session: Session, wishes: Wishes) -> Reply:
    """Do all of it, or what is left of it after a power cut."""
    component = session.component
    pending = session.on_loop(lambda: component.fitting_request(wishes))
    if pending is None and not wishes.reprovision and session.on_loop(component.already_provisioned):
        _complete(session)
        return Reply(text="provisioned already")
    pending = _provide(session, wishes)
    content = session.on_loop(lambda: component.files.get(files.REQUEST))
    try:
        request_id, _status = _submit(session, content)
        profile = _wait(session, _Row(request_id or pending.request_id, pending.nonce))
    except _Dead as error:
        session.on_loop(component.discard_request)
        raise failed(f"{error} (request {pending.request_id})") from error
    session.on_loop(lambda: component.install(profile))
    _complete(session)
    return Reply(text=f"provisioned (request {pending.request_id})")


def complete(session: Session) -> Reply:
    """Tell the service that the certified profile is installed."""
    if session.on_loop(lambda: session.component.installed) is None:
        raise failed("nothing is installed")
    _complete(session, again=True)
    return Reply()


def forward(session: Session) -> Reply:
    """Submit the request of another device."""
    content = session.on_loop(lambda: session.component.files.get(files.FORWARDED))
    try:
        return _told(*_submit(session, content))
    except _Dead as error:
        raise failed(str(error)) from error


def collect(session: Session) -> Reply:
    """Fetch the certified profile of the other device."""
    component = session.component
    content = session.on_loop(lambda: component.files.get(files.FORWARDED))
    try:
        others = request.read_forwarded(content)
        profile = _wait(session, _Row(others.request_id, others.nonce))
    except (ValueError, _Dead) as error:
        raise failed(str(error)) from error
    session.on_loop(lambda: component.files.write(files.COLLECTED, profile))
    return Reply(lines=(f"size: {len(profile)}",))


# -- steps -------------------------------------------------------------------------------------------------


def _provide(session: Session, wishes: Wishes) -> Pending:
    """Return the open request if it is still good; make one otherwise."""
    component = session.component
    pending = session.on_loop(lambda: component.fitting_request(wishes))
    if pending is not None and not _is_dead(session, pending):
        return pending
    return session.on_loop(lambda: component.make_request(wishes))


def _is_dead(session: Session, pending: Pending) -> bool:
    try:
        return _fate(session, _Row(pending.request_id, pending.nonce)) is not None
    except AgentRefusal:
        session.wait(0)  # called off is called off
        return False  # who does not reach the service keeps what there is


def _submit(session: Session, content: bytes) -> tuple[str | None, str | None]:
    """Submit a request; return its id and status as the service says them.

    :raises _Dead: the service can make nothing of it.
    :raises AgentRefusal: the service does not take it.
    """
    headers = {"Content-Type": request.MEDIA_TYPES[request.form_of(content)]}
    answer = session.exchange("POST", _ROWS, headers=headers, body=content)
    if not _FIRST_GOOD <= answer.status < _FIRST_OTHER:
        text = f"the service does not take the request: {_problem(answer)}"
        raise _Dead(text) if answer.status in _HOPELESS else failed(text)
    fields = _object(answer)
    told = [fields.get(name) for name in ("request_id", "status")]
    request_id, status = (value if isinstance(value, str) else None for value in told)
    return request_id, status


def _told(request_id: str | None, status: str | None) -> Reply:
    told = (("request_id", request_id), ("status", status))
    return Reply(lines=tuple(f"{name}: {files.printable(value)}" for name, value in told if value))


def _wait(session: Session, row: _Row) -> bytes:
    """Return the certified profile of a request as soon as there is one.

    :raises _Dead: there will be none.
    :raises AgentRefusal: there was none in time.
    """
    while True:
        waiting = int(min(session.settings.prefer_wait, session.remaining))
        headers = {**row.authorization, "Prefer": f"wait={waiting}"}
        answer = session.exchange(
            "GET", f"{row.path}/certified-profile", headers=headers, waiting=float(waiting)
        )
        if answer.status == _OK:
            return answer.body
        if answer.status != _ACCEPTED and answer.status not in _LATER:
            raise _no_profile(session, row, answer)
        pause = _retry_after(answer)
        if session.remaining <= pause:
            raise failed(
                f"no certified profile within {session.settings.wait_time:g} s; the request stays open"
            )
        session.wait(pause)


def _no_profile(session: Session, row: _Row, answer: Answer) -> Exception:
    fate = _fate(session, row)
    if fate is not None:
        return _Dead(fate)
    if answer.status in {_NOT_FOUND, _GONE}:
        return not_found(f"the service knows no such request: {_problem(answer)}")
    return failed(f"the service gives no certified profile: {_problem(answer)}")


def _fate(session: Session, row: _Row) -> str | None:
    """Return why a request has failed for good; ``None`` when it has not, or is not known there."""
    answer = session.exchange("GET", row.path, headers=row.authorization)
    fields = _object(answer) if answer.status == _OK else {}
    if fields.get("status") not in _DEAD:
        return None
    code = str(fields.get("error_code"))
    if code in {*ErrorCode}:
        return f"{code}: {ERROR_LABELS[ErrorCode(code)]}"
    return STATUS_TEXTS.get(Status(fields["status"]), "the request failed")


def _complete(session: Session, *, again: bool = False) -> None:
    """Tell the service that the profile is installed, unless it was told before.

    :param again: tell it once more.
    """
    component = session.component
    installed = session.on_loop(lambda: component.installed)
    if installed is None or (installed.completed and not again):
        return
    row = _Row(installed.request_id, installed.nonce)
    answer = session.exchange("POST", f"{row.path}/installed", headers=row.authorization)
    if not _FIRST_GOOD <= answer.status < _FIRST_OTHER:
        raise failed(f"installed, but the service does not take note of it: {_problem(answer)}")
    session.on_loop(component.completed)


# -- answers -----------------------------------------------------------------------------------------------


def _object(answer: Answer) -> Mapping[str, Any]:
    try:
        fields = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _problem(answer: Answer) -> str:
    """Return what a problem says (RFC 9457): its code, title and detail as far as it has them."""
    fields = _object(answer)
    told = [fields.get(name) for name in ("code", "title", "detail")]
    return ": ".join([f"status {answer.status}", *(text for text in told if isinstance(text, str) and text)])


def _retry_after(answer: Answer) -> float:
    """Return how long the service wants to be left alone (RFC 9110, section 10.2.3; seconds only)."""
    text = answer.headers.get("retry-after", "")
    return min(float(text), _LONGEST_PAUSE) if text.isascii() and text.isdigit() else _USUAL_PAUSE
