"""Forms of bounded size."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from harness_guardian.fake.answers import bad_request
from harness_guardian.fake.refusals import Refused, too_large

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.datastructures import FormData
    from starlette.requests import Request

LARGEST_FORM = 96 * 1024
"""Bytes of a form: a provisioning request of the largest size, and what is around it."""

_MOST_FIELDS = 200
_LENGTH_REQUIRED = 411


@asynccontextmanager
async def form_of(request: Request) -> AsyncIterator[FormData]:
    """Read a form; its files are closed at the end.

    :raises Refused: it does not say how long it is, is too long, or is no form.
    """
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        raise Refused(_LENGTH_REQUIRED, "length", "Length required", "The form does not say how long it is.")
    if int(length[:12]) > LARGEST_FORM:
        raise too_large(f"the form is longer than {LARGEST_FORM} bytes")
    try:
        form = await request.form(max_files=1, max_fields=_MOST_FIELDS, max_part_size=LARGEST_FORM)
    except HTTPException as error:
        raise bad_request(error.detail) from error
    try:
        yield form
    finally:
        await form.close()


def text_of(form: FormData, name: str) -> str:
    """Return a text of a form; empty when it has none of this name."""
    value = form.get(name)
    return value if isinstance(value, str) else ""
