"""HTTP exchanges as texts that a person can read."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.backends.contract import Exchange

_WORD = re.compile(r"(?<=[a-z0-9])([A-Z])")

#: What these headers say is a secret, whether or not somebody registered it.
SECRET_HEADERS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token"}
)


def exchange_title(exchange: Exchange) -> str:
    """Return one line in a person's words: ``ClaimDeviceOwnership`` is "Claim device ownership"."""
    words = _WORD.sub(r" \1", exchange.operation).split(" ")
    plain = " ".join([words[0], *(word.lower() if word.istitle() else word for word in words[1:])])
    return f"{plain} \N{RIGHTWARDS ARROW} {answer_of(exchange)}"


def exchange_name(exchange: Exchange) -> str:
    """Return the service's own name of the operation, and how it was answered."""
    return f"HTTP: {exchange.operation} \N{RIGHTWARDS ARROW} {answer_of(exchange)}"


def answer_of(exchange: Exchange) -> str:
    """Return the status, or that there was no answer."""
    return "no answer" if exchange.status is None else str(exchange.status)


def exchange_text(exchange: Exchange) -> str:
    """Return request and answer in full, with secret headers left out; to be redacted all the same."""
    address = urlsplit(exchange.url)
    target = address.path + (f"?{address.query}" if address.query else "")
    parts = [
        f"{exchange.method} {target}",
        f"(to {address.scheme}://{address.hostname}{f':{address.port}' if address.port else ''})",
        *_headers(exchange.request_headers),
        "",
        _body(exchange.request_body),
        "",
    ]
    milliseconds = f"after {exchange.seconds * 1000:.1f} ms"
    if exchange.status is None:
        parts.append(f"no answer {milliseconds}: {exchange.problem}")
    else:
        parts += [
            f"{exchange.status} {milliseconds}",
            *_headers(exchange.response_headers),
            "",
            _body(exchange.response_body),
        ]
    return "\n".join(parts)


def _headers(headers: Mapping[str, str]) -> list[str]:
    return [
        f"{name}: {'[redacted: header]' if name.lower() in SECRET_HEADERS else value}"
        for name, value in headers.items()
    ]


def _body(body: bytes) -> str:
    if not body:
        return "(no body)"
    text = body.decode("utf-8", "backslashreplace")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
