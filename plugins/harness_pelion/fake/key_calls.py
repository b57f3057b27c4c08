"""Calls about the account and its API keys (pelion fact sheet, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import StringConstraints
from starlette.responses import JSONResponse, Response

from harness_pelion.fake.answers import Body, check, read_json, without_nulls
from harness_pelion.fake.clock import timestamp
from harness_pelion.fake.paging import included, page, page_request
from harness_pelion.fake.records import ADMINISTRATORS
from harness_pelion.fake.refusals import denied, invalid, not_found

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_pelion.fake.doors import Caller, Calls
    from harness_pelion.fake.records import Account, ApiKey
    from harness_pelion.fake.service import PelionService

_KeyName = Annotated[str, StringConstraints(min_length=1, max_length=100)]
_KeyStatus = Literal["ACTIVE", "INACTIVE"]

_ACCOUNT_REQUIRED = ("id", "object", "etag", "status", "tier", "aliases", "end_market")
_KEY_REQUIRED = ("id", "object", "name", "key", "etag", "status")
_SHOWN = 12  # characters of a key that is not told again


class KeyBody(Body):
    """``POST /v3/api-keys``."""

    name: _KeyName
    owner: str | None = None
    status: _KeyStatus = "ACTIVE"


class KeyChangeBody(Body):
    """``PUT /v3/api-keys/{id}``."""

    name: _KeyName | None = None
    owner: str | None = None
    status: _KeyStatus | None = None


class KeyCalls:
    """The calls."""

    def __init__(self, service: PelionService) -> None:
        """Answer for a service."""
        self._service = service

    @property
    def calls(self) -> Calls:
        """All calls by path and method."""
        return {
            "/v3/accounts/me": {"GET": self.account},
            "/v3/api-keys": {"GET": self.keys, "POST": self.create},
            "/v3/api-keys/me": {"GET": self.own_key},
            "/v3/api-keys/{id}": {"GET": self.key, "PUT": self.change, "DELETE": self.delete},
        }

    async def account(self, request: Request, caller: Caller) -> Response:
        """Tell the account of the key: how clients see whether a key is good."""
        return JSONResponse(self._account_json(caller.account, included(request.query_params)))

    async def keys(self, request: Request, caller: Caller) -> Response:
        """List the account's keys."""
        choices = self._service.choices
        query = request.query_params
        owner, secret = query.get("owner__eq"), query.get("key__eq")
        document = page(
            [*caller.account.keys.values()],
            page_request(query, choices),
            choices,
            self._json,
            lambda key: owner in {None, key.owner} and secret in {None, key.secret},
        )
        return JSONResponse(document)

    async def own_key(self, _request: Request, caller: Caller) -> Response:
        """Tell the key by which this is asked."""
        return JSONResponse(self._json(caller.key))

    async def key(self, request: Request, caller: Caller) -> Response:
        """Tell a key."""
        return JSONResponse(self._json(self._key(request, caller)))

    async def create(self, request: Request, caller: Caller) -> Response:
        """Make a key: 201, and the only answer that tells it."""
        self._check_may_manage(caller)
        body = check(KeyBody, await read_json(request))
        owner = self._owner(caller, body.owner)
        made = self._service.accounts.add_key(caller.account, body.name, owner)
        made.status = body.status
        return JSONResponse({**self._json(made), "key": made.secret}, status_code=201)

    async def change(self, request: Request, caller: Caller) -> Response:
        """Change a key's name, owner or status."""
        self._check_may_manage(caller)
        key = self._key(request, caller)
        body = check(KeyChangeBody, await read_json(request))
        if body.owner is not None:
            key.owner = self._owner(caller, body.owner)
        key.name = body.name or key.name
        key.status = body.status or key.status
        key.updated_at = self._service.clock.now(caller.account.id)
        return JSONResponse(self._json(key))

    async def delete(self, request: Request, caller: Caller) -> Response:
        """Revoke a key: 204."""
        self._check_may_manage(caller)
        self._service.accounts.remove_key(caller.account, self._key(request, caller))
        return Response(status_code=204)

    def _key(self, request: Request, caller: Caller) -> ApiKey:
        """Return the key of a call.

        :raises Refused: 404.
        """
        key = caller.account.keys.get(request.path_params["id"])
        if key is None:
            raise not_found("API key")
        return key

    def _owner(self, caller: Caller, owner: str | None) -> str:
        """Return whose a key shall be: by default the caller's.

        :raises Refused: there is no such user.
        """
        if owner is None:
            return caller.key.owner
        if self._service.accounts.user(caller.account, owner) is None:
            raise invalid("owner", "there is no such user")
        return owner

    def _check_may_manage(self, caller: Caller) -> None:
        """See whether somebody may manage keys.

        :raises Refused: no.
        """
        user = self._service.accounts.user(caller.account, caller.key.owner)
        if self._service.choices.developers_manage_keys:
            return
        if user is None or user.group != ADMINISTRATORS:
            raise denied("only an administrator may manage keys")

    def _account_json(self, account: Account, words: set[str]) -> dict[str, Any]:
        made = timestamp(account.created_at)
        document: dict[str, Any] = {
            "object": "account",
            "id": account.id,
            "etag": made,
            "created_at": made,
            "updated_at": made,
            "status": account.status,
            "tier": "1",
            "aliases": [],
            "end_market": "",
            "display_name": account.name,
            "company": None,
            "contact": None,
            "email": None,
            "country": None,
            "reason": None,
        }
        if "limits" in words and self._service.choices.limits_told:
            document["limits"] = {
                "developer_certificates": str(account.certificates_limit),
                "devices_per_developer_certificate": str(account.devices_per_certificate),
            }
        if "policies" in words:
            document["policies"] = []
        return without_nulls(document, _ACCOUNT_REQUIRED, self._service.choices)

    def _json(self, key: ApiKey) -> dict[str, Any]:
        shown = f"{key.secret[:_SHOWN]}..." if self._service.choices.key_shown_once else key.secret
        last = key.last_login
        document = {
            "object": "api-key",
            "id": key.id,
            "account_id": key.account_id,
            "name": key.name,
            "key": shown,
            "owner": key.owner,
            "status": key.status,
            "groups": [],
            "etag": timestamp(key.updated_at),
            "created_at": timestamp(key.created_at),
            "updated_at": timestamp(key.updated_at),
            "creation_time": round(key.created_at.timestamp() * 1000),
            "last_login_time": 0 if last is None else round(last.timestamp() * 1000),
        }
        return without_nulls(document, _KEY_REQUIRED, self._service.choices)
