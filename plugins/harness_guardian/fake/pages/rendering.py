"""HTML from templates, and the headers that every page goes out with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from harness_guardian.fake.pages.sessions import Message

STATIC = "/pages/"

#: Nothing is loaded from elsewhere, nothing stands in the HTML that runs, nobody may frame the pages.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

SAFETY = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
#: Pages show what only their user may see.
_PRIVATE = {**SAFETY, "Cache-Control": "no-store", "Vary": "Cookie"}

_MEDIA_TYPES = {
    "guardian.css": "text/css; charset=utf-8",
    "guardian.js": "text/javascript; charset=utf-8",
    "guardian.svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands around every page.

    :ivar here: name of the page.
    :ivar user: who is signed in; empty for nobody.
    :ivar appliance: whether this Guardian is an appliance.
    :ivar csrf: what the forms have to send back.
    :ivar pages: names and addresses in the main navigation.
    """

    here: str = ""
    user: str = ""
    role: str = ""
    appliance: bool = False
    csrf: str = ""
    messages: Sequence[Message] = ()
    pages: Sequence[tuple[str, str]] = (("Devices", "/devices"), ("Provisioning", "/provisioning"))


NOBODY = Frame()


def render(template: str, *, status: int = 200, frame: Frame = NOBODY, **values: Any) -> HTMLResponse:
    """Answer with a page.

    :param template: name of its file.
    :param values: what it shows.
    """
    content = _environment().get_template(template).render(frame=frame, asset=asset, **values)
    return HTMLResponse(content, status_code=status, headers=_PRIVATE)


def asset(name: str) -> str:
    """Return the address of a file that is the same for everybody; it changes with the contents."""
    return f"{STATIC}{name}?v={hashlib.sha256(_contents(name)).hexdigest()[:12]}"


async def static_file(request: Request) -> Response:
    """Answer with the style sheet, the script or the picture."""
    name = request.path_params["name"]
    if name not in _MEDIA_TYPES:
        return render("problem.html", status=404, heading="Not found", detail="There is no such file.")
    headers = {**SAFETY, "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(_contents(name), media_type=_MEDIA_TYPES[name], headers=headers)


@cache
def _contents(name: str) -> bytes:
    return (files(__package__) / "static" / name).read_bytes()


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
