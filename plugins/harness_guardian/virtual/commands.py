"""The words of the agent: what each does, the same on the console and over SSH.

Source: guardian fact sheet, section 10.6; the words are our own.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness_guardian.enums import ProvisionSource
from harness_guardian.virtual import files, provisioning, request
from harness_guardian.virtual.component import Wishes
from harness_guardian.virtual.errors import AgentRefusal, bad_parameter
from harness_guardian.virtual.replies import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness_guardian.virtual.agent import Agent

_NUMBER = re.compile(r"[0-9]{1,9}")
_PIECE = 600
_MOST_CHALLENGE = 256
_ABSENT = "-"


@dataclass(frozen=True, slots=True)
class Model:
    """What a component says of itself.

    :ivar name: its model.
    :ivar firmware: version of its agent.
    :ivar serial: serial number of the hardware, which stays through everything.
    """

    name: str
    firmware: str
    serial: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who gave a command.

    :ivar announce: told how provisioning ended behind an ``OK``; ``None``: who asks waits for the end.
    :ivar content: what came with the command, for ``put``; ``None`` where files go in pieces.
    """

    announce: Callable[[Reply], None] | None = None
    content: bytes | None = None

    @property
    def takes_files(self) -> bool:
        """Whether files come and go whole."""
        return self.content is not None


class Commands:
    """Executes commands; called on the loop thread only."""

    def __init__(self, agent: Agent, model: Model) -> None:
        """Command an agent."""
        self._agent = agent
        self._component = agent.component
        self._model = model
        self._words: Mapping[str, Callable[[Sequence[str], Caller], Reply]] = {
            "identify": self._identify,
            "status": self._status,
            "files": self._files,
            "put": self._put,
            "get": self._get,
            "drop": self._drop,
            "init": self._init,
            "service": self._service,
            "install": self._install,
            "certificates": self._certificates,
            "prove": self._prove,
            "erase": self._erase,
        }
        self._later: Mapping[str, Callable[[Sequence[str], Caller, Callable[[Reply], None]], None]] = {
            "request": self._request,
            "submit": partial(self._run, provisioning.submit),
            "provision": self._provision,
            "cancel": self._cancel,
            "complete": partial(self._run, provisioning.complete),
            "forward": partial(self._run, provisioning.forward),
            "collect": partial(self._run, provisioning.collect),
        }

    def execute(self, words: Sequence[str], caller: Caller, answer: Callable[[Reply], None]) -> None:
        """Execute a command.

        :param words: the command and its parameters.
        :param caller: who gave it.
        :param answer: called once, now or later, unless the power goes.
        :raises PowerLost: the power went.
        """
        try:
            name, given = (words[0], words[1:]) if words else ("", [])
            if name in self._words:
                answer(self._words[name](given, caller))
            elif name in self._later:
                self._later[name](given, caller, answer)
            else:
                known = ", ".join(sorted([*self._words, *self._later]))
                raise bad_parameter(f"unknown command {files.printable(name)!r}; known are {known}")
        except AgentRefusal as refusal:
            answer(Reply.refusing(refusal))

    def cancel(self) -> None:
        """Call off what is under way, if something is."""
        if self._agent.busy:
            self._agent.cancel(_nobody_asks)

    # -- who and how --------------------------------------------------------------------------------------

    def _identify(self, given: Sequence[str], _caller: Caller) -> Reply:
        _no_more(given)
        declared, package = self._component.declared, self._component.known_package()
        instance = None if declared is None else declared.instance_id
        if instance is None and package is not None and declared is not None:
            instance = package.instance_id
        return _fields(
            model=self._model.name,
            firmware=self._model.firmware,
            serial=self._model.serial,
            component=None if declared is None else declared.component,
            hw_id=None if declared is None else declared.hw_id,
            instance=instance,
        )

    def _status(self, given: Sequence[str], _caller: Caller) -> Reply:
        _no_more(given)
        component = self._component
        declared, package, installed = component.declared, component.known_package(), component.installed
        system = (
            installed.system if installed is not None else package.system if package is not None else None
        )
        instance = package.instance_id if package is not None else None
        if installed is not None:
            instance = installed.instance_id
        return _fields(
            state=component.state,
            system=system,
            instance=declared.instance_id or instance if declared is not None else instance,
            component=None if declared is None else declared.component,
            hw_id=None if declared is None else declared.hw_id,
            request_id=component.latest_request_id,
            response_id=None if installed is None else installed.response_id,
            certificates=str(len(component.certificates())),
            service=component.service,
        )

    def _certificates(self, given: Sequence[str], _caller: Caller) -> Reply:
        _no_more(given)
        found = self._component.certificates()
        return Reply(lines=tuple(f"{slot}: {serial} {digest}" for slot, serial, digest in found))

    def _prove(self, given: Sequence[str], _caller: Caller) -> Reply:
        slot, text = _exactly(given, "SLOT", "CHALLENGE_HEX")
        try:
            challenge = bytes.fromhex(text)
        except ValueError as error:
            raise bad_parameter("the challenge is not in hex digits") from error
        if not 1 <= len(challenge) <= _MOST_CHALLENGE:
            raise bad_parameter(f"the challenge has {len(challenge)} bytes; expected 1 to {_MOST_CHALLENGE}")
        return _fields(signature=self._component.prove(slot, challenge).hex())

    # -- files --------------------------------------------------------------------------------------------

    def _files(self, given: Sequence[str], _caller: Caller) -> Reply:
        _no_more(given)
        found = self._component.files.listed()
        return Reply(lines=tuple(f"{name}: {size} {digest}" for name, size, digest in found))

    def _put(self, given: Sequence[str], caller: Caller) -> Reply:
        self._agent.check_free()
        if caller.content is not None:
            (name,) = _exactly(given, "NAME")
            self._component.files.write(name, caller.content)
            return Reply()
        piece = b""
        if len(given) == len(("NAME", "OFFSET")):  # an empty file has an empty piece
            name, offset = given
        else:
            name, offset, text = _exactly(given, "NAME", "OFFSET", "BASE64")
            try:
                piece = base64.b64decode(text, validate=True)
            except (ValueError, binascii.Error) as error:
                raise bad_parameter("the piece is no base64") from error
        self._component.files.put(name, _number(offset), piece)
        return Reply()

    def _get(self, given: Sequence[str], caller: Caller) -> Reply:
        if caller.takes_files:
            (name,) = _exactly(given, "NAME")
            return Reply(output=self._component.files.get(name))
        name, offset = _exactly(given, "NAME", "OFFSET")
        content = self._component.files.get(name)
        start = _number(offset)
        if start > len(content):
            raise bad_parameter(f"offset is {start}; expected at most {len(content)}, the size")
        piece = content[start : start + _PIECE]
        return Reply(lines=(f"size: {len(content)}", f"data: {base64.b64encode(piece).decode()}"))

    def _drop(self, given: Sequence[str], _caller: Caller) -> Reply:
        self._agent.check_free()
        (name,) = _exactly(given, "NAME")
        if name == files.REQUEST and self._component.pending is not None:
            self._component.discard_request()
        else:
            self._component.files.drop(name)
        return Reply()

    # -- what changes the component -----------------------------------------------------------------------

    def _init(self, given: Sequence[str], _caller: Caller) -> Reply:
        self._agent.check_free()
        most = len(("COMPONENT", "HW_ID", "INSTANCE_ID"))
        instance = given[-1] if len(given) == most else None
        component, hw_id = _exactly(
            given[: most - 1] if instance is not None else given, "COMPONENT", "HW_ID"
        )
        self._component.initialize(component, hw_id, instance)
        return Reply()

    def _service(self, given: Sequence[str], _caller: Caller) -> Reply:
        self._agent.check_free()
        (url,) = _exactly(given, "URL")
        try:
            check_url(url)
        except ValueError as error:
            raise bad_parameter(str(error)) from error
        self._component.set_service(url)
        return Reply()

    def _install(self, given: Sequence[str], _caller: Caller) -> Reply:
        _no_more(given)
        self._agent.check_free()
        self._component.install(self._component.files.get(files.PROFILE))
        return Reply()

    def _erase(self, given: Sequence[str], _caller: Caller) -> Reply:
        self._agent.check_free()
        if list(given) != ["yes"]:
            raise bad_parameter("erase makes the component blank for ever; say: erase yes")
        self._component.erase()
        return Reply()

    # -- what takes its time ------------------------------------------------------------------------------

    def _request(self, given: Sequence[str], _caller: Caller, answer: Callable[[Reply], None]) -> None:
        self._agent.check_free()
        wishes = _wishes(given)
        pending = self._component.fitting_request(wishes)
        if pending is not None and self._component.service is not None and self._agent.link_up:
            self._agent.start(lambda session: provisioning.make_request(session, wishes), answer)
            return
        pending = pending or self._component.make_request(wishes)
        answer(Reply(lines=(f"request_id: {pending.request_id}",)))

    def _provision(self, given: Sequence[str], caller: Caller, answer: Callable[[Reply], None]) -> None:
        self._agent.check_free()
        wishes = _wishes(given)
        self._component.check_ready(wishes)
        done = answer if caller.announce is None else caller.announce
        self._agent.start(lambda session: provisioning.provision(session, wishes), done)
        if caller.announce is not None:
            answer(Reply())

    def _run(
        self,
        job: Callable[..., Reply],
        given: Sequence[str],
        _caller: Caller,
        answer: Callable[[Reply], None],
    ) -> None:
        _no_more(given)
        self._agent.start(job, answer)

    def _cancel(self, given: Sequence[str], _caller: Caller, answer: Callable[[Reply], None]) -> None:
        _no_more(given)
        self._agent.cancel(lambda: answer(Reply()))


def check_url(url: str) -> None:
    """Refuse what is no address of a service.

    :raises ValueError: it is none; the text says what is expected.
    """
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not url.isascii() or not url.isprintable() or " " in url or parts.query or parts.fragment:
        raise ValueError(f"url is {files.printable(url)!r}; expected http://HOST:PORT or https://HOST:PORT")


def _wishes(given: Sequence[str]) -> Wishes:
    """Read the options of ``request`` and ``provision``; each may come once."""
    found: dict[str, str] = {}
    choices = {
        "reprovision": ("",),
        "source": tuple(ProvisionSource),
        "format": tuple(request.MEDIA_TYPES),
    }
    for word in given:
        name, _sign, value = word.partition("=")
        if value not in choices.get(name, ()) or name in found or word == "reprovision=":
            raise bad_parameter(
                f"{files.printable(word)!r} is no option, or comes twice; expected reprovision,"
                " source=Cloud, source=Appliance, format=jws or format=cose"
            )
        found[name] = value
    return Wishes(reprovision="reprovision" in found, source=found.get("source"), form=found.get("format"))


def _exactly(given: Sequence[str], *names: str) -> Sequence[str]:
    if len(given) != len(names):
        raise bad_parameter(f"expected {' '.join(names)}")
    return given


def _no_more(given: Sequence[str]) -> None:
    if given:
        raise bad_parameter("expected nothing behind the command")


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise bad_parameter(f"{files.printable(text)!r} is no number of bytes")
    return int(text)


def _fields(**values: str | None) -> Reply:
    lines = ((name, value or _ABSENT) for name, value in values.items())
    return Reply(lines=tuple(f"{name}: {value}" for name, value in lines))


def _nobody_asks() -> None:
    """Hear that a run ended which somebody else waits for."""
