"""The Vault: an HTTP service that has the shape of HashiCorp's (guardian fact sheet, sections 11.1 and 11.2).

It signs with real keys and keeps everything in memory. What a session orders of it (faults, certificates that
it forgets or revokes, the seal) has no HTTP calls: whoever owns it calls it.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from harness_guardian.vault.answers import (
    NOT_ALLOWED,
    NOT_FOUND,
    PERMISSION_DENIED,
    SEALED,
    VaultProblem,
    read_parameters,
    refused,
    with_data,
    with_errors,
)
from harness_guardian.vault.call_log import (
    REQUEST_HEADER,
    SLOT_HEADER,
    CallLog,
    LoggedCall,
    VaultCall,
    purpose,
    system_of,
)
from harness_guardian.vault.engine_call import Data, EngineCall, Operation
from harness_guardian.vault.faults import VaultFault, VaultFaultKind, VaultFaults
from harness_guardian.vault.fields import text_field
from harness_guardian.vault.mounts import Mounts, needs_token, subject_of
from harness_guardian.vault.pki_authorities import unknown_issuer

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

VERSION = "1.15.0+harness"
"""What it says it is: a version whose API has all that is here, marked as none of HashiCorp's."""

_PREFIX = "/v1/"
_STATUS = re.compile(r"[2-5][0-9]{2}", re.ASCII)
_HANG_UP = "harness.hang_up"
_VERBS = {
    "GET": Operation.READ,
    "HEAD": Operation.READ,
    "LIST": Operation.LIST,
    "POST": Operation.WRITE,
    "PUT": Operation.WRITE,
    "DELETE": Operation.DELETE,
}
_FORGERIES = frozenset({VaultFaultKind.WRONG_KEY, VaultFaultKind.WRONG_SUBJECT, VaultFaultKind.BAD_SIGNATURE})


class VaultService:
    """The service.

    :ivar log: every call.
    :ivar faults: what is broken on purpose.
    """

    def __init__(self, token: str) -> None:
        """Begin without mounts.

        :param token: the only one that it takes; may do everything.
        """
        self.log = CallLog()
        self._token = token.encode()
        self._mounts = Mounts()
        self.faults = VaultFaults()
        self._sealed = False

    @property
    def application(self) -> VaultService:
        """The ASGI application, which is the service itself."""
        return self

    # What whoever owns it may order ------------------------------------------------------------------

    def forget(self, mount: str, serial: str) -> bool:
        """Forget a certificate, and tell whether it was there.

        :param serial: hexadecimal digits, with colons or without.
        """
        engine = self._mounts.pki(mount)
        return engine is not None and engine.forget(serial)

    def revoke(self, mount: str, serial: str) -> bool:
        """Revoke a certificate behind everybody's back, and tell whether it is there."""
        engine = self._mounts.pki(mount)
        return engine is not None and engine.revoke(serial)

    def seal(self, *, sealed: bool) -> None:
        """Seal or unseal: a sealed Vault answers nothing but how it is."""
        self._sealed = sealed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise ValueError(f"a scope of type {scope['type']!r} is none that a Vault has")
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            return
        if response is not None:
            await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response | None:
        """Return the answer; ``None``: there is none, the caller has gone or was hung up on."""
        begun = time.perf_counter()
        operation, path = _asked(request)
        entry = LoggedCall(
            call=VaultCall.OTHER,
            system=system_of(path),
            method=request.method,
            path=path,
            request_id=purpose(request.headers.get(REQUEST_HEADER)),
            slot=purpose(request.headers.get(SLOT_HEADER)),
        )
        try:
            response = await self._handle(request, operation, path, entry)
        except VaultProblem as problem:
            response = with_errors(problem.status, problem.errors)
        entry.seconds = time.perf_counter() - begun
        entry.status = None if response is None else response.status_code
        return response

    async def _handle(
        self, request: Request, operation: Operation | None, path: str, entry: LoggedCall
    ) -> Response | None:
        if path in {"sys/health", "sys/seal-status"} and operation is Operation.READ:
            self.log.begin(entry)
            return self._health(request) if path == "sys/health" else self._seal_status()
        if self._sealed:
            self.log.begin(entry)
            raise VaultProblem(SEALED, "Vault is sealed")
        if operation is None:
            self.log.begin(entry)
            raise VaultProblem(NOT_ALLOWED, "unsupported operation")
        if path.partition("/")[0] in {"sys", "auth"}:
            return await self._handle_own(request, operation, path, entry)
        return await self._handle_mounted(request, operation, path, entry)

    async def _handle_own(
        self, request: Request, operation: Operation, path: str, entry: LoggedCall
    ) -> Response:
        """Answer a call that no engine is asked for."""
        mount = path.removeprefix("sys/mounts/") if path.startswith("sys/mounts/") else None
        if mount is not None and operation in {Operation.WRITE, Operation.DELETE}:
            entry.call = VaultCall.SET_UP if operation is Operation.WRITE else VaultCall.TEAR_DOWN
        self.log.begin(entry)
        self._check_token(request)
        if mount is not None and operation is Operation.WRITE:
            self._mounts.add(mount, await read_parameters(request))
            return with_data(None)
        if mount is not None and operation is Operation.DELETE:
            self._mounts.remove(mount)
            return with_data(None)
        if path == "sys/mounts" and operation is Operation.READ:
            return with_data(self._mounts.described())
        if path == "auth/token/lookup-self" and operation is Operation.READ:
            return with_data(_token_data())
        raise VaultProblem(NOT_FOUND, "unsupported path")

    async def _handle_mounted(
        self, request: Request, operation: Operation, path: str, entry: LoggedCall
    ) -> Response | None:
        """Answer a call of an engine, after the fault that it meets, if any."""
        try:
            _mount, engine, rest = self._mounts.find(path)
        except VaultProblem:
            self.log.begin(entry)
            self._check_token(request)
            raise
        entry.call = subject_of(operation, engine, rest)
        self.log.begin(entry)
        if needs_token(engine, operation, rest):
            self._check_token(request)
        parameters = await read_parameters(request) if operation is Operation.WRITE else {}
        serial = rest.partition("/")[2] if entry.call is VaultCall.READ_CERTIFICATE else None
        if entry.call is VaultCall.REVOKE:
            serial = text_field(parameters, "serial_number")
        fault = self.faults.strike(entry.call, entry.system, serial)
        if fault is not None and not await _go_on_after(fault, request):
            return None
        call = EngineCall(
            operation=operation,
            path=rest,
            parameters=parameters,
            logged=entry,
            forgery=fault.kind if fault is not None and fault.kind in _FORGERIES else None,
        )
        answer = engine.handle(call)
        return with_data(answer.data, answer.warnings) if isinstance(answer, Data) else answer

    def _check_token(self, request: Request) -> None:
        """See who asks.

        :raises VaultProblem: 403, nobody that is known.
        """
        given = request.headers.get("x-vault-token", "")
        if not given and request.headers.get("authorization", "").startswith("Bearer "):
            given = request.headers["authorization"].removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self._token):
            raise VaultProblem(PERMISSION_DENIED, "permission denied")

    def _health(self, request: Request) -> Response:
        """Say how it is; the status says it too, and a caller may choose which."""
        name, usual = ("sealedcode", SEALED) if self._sealed else ("activecode", 200)
        chosen = request.query_params.get(name, "")
        status = int(chosen) if _STATUS.fullmatch(chosen) else usual
        body = {
            "initialized": True,
            "sealed": self._sealed,
            "standby": False,
            "performance_standby": False,
            "server_time_utc": int(time.time()),
            "version": VERSION,
            "cluster_name": "harness",
        }
        return JSONResponse(body, status_code=status)

    def _seal_status(self) -> Response:
        return JSONResponse(
            {"type": "shamir", "initialized": True, "sealed": self._sealed, "version": VERSION}
        )


def _asked(request: Request) -> tuple[Operation | None, str]:
    """Return what is to be done, and the path below the version, without slashes at its ends.

    The path is decoded already: hvac writes the colons of a serial number as ``%3A``.
    """
    operation = _VERBS.get(request.method)
    if operation is Operation.READ and request.query_params.get("list", "").lower() in {"true", "1"}:
        operation = Operation.LIST
    path: str = request.scope["path"]
    if not path.startswith(_PREFIX):
        return operation, f"?{path}"
    return operation, path.removeprefix(_PREFIX).strip("/")


async def _go_on_after(fault: VaultFault, request: Request) -> bool:
    """Let a fault happen, and tell whether the call is answered all the same.

    :return: ``False``: there will be no answer, and nothing was done.
    :raises VaultProblem: the answer that the fault stands for.
    """
    if fault.kind is VaultFaultKind.STATUS:
        raise VaultProblem(fault.status, *fault.errors)
    if fault.kind is VaultFaultKind.NOT_FOUND:
        raise VaultProblem(NOT_FOUND)
    if fault.kind is VaultFaultKind.UNKNOWN_ISSUER:
        raise refused(f"could not fetch the CA certificate (was one set?): {unknown_issuer('intermediate')}")
    if fault.kind is VaultFaultKind.HANG_UP:
        request.scope["extensions"][_HANG_UP]()
        return False
    if fault.kind is VaultFaultKind.DELAY:
        return await _wait(fault, request)
    return True


async def _wait(fault: VaultFault, request: Request) -> bool:
    """Wait until a delay is over or taken back, and tell whether the caller is still there.

    What nobody waits for any more is not done: no certificate is signed that nobody knows of.
    """
    gone = asyncio.ensure_future(_departure(request))
    removed = asyncio.ensure_future(fault.removed.wait())
    try:
        await asyncio.wait({gone, removed}, timeout=fault.seconds, return_when=asyncio.FIRST_COMPLETED)
        return not gone.done()
    finally:
        gone.cancel()
        removed.cancel()


async def _departure(request: Request) -> None:
    """Return when the caller has gone; its whole request has been read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _token_data() -> dict[str, Any]:
    return {
        "accessor": str(uuid.uuid5(uuid.NAMESPACE_URL, "urn:guardian:vault:accessor")),
        "creation_time": 0,
        "display_name": "root",
        "entity_id": "",
        "expire_time": None,
        "id": "not shown",
        "issue_time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "meta": None,
        "orphan": True,
        "path": "auth/token/root",
        "policies": ["root"],
        "renewable": False,
        "ttl": 0,
        "type": "service",
    }
