"""A provisioning request as a browser sends it: the field ``file`` of a form (guardian fact sheet, 10.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from harness_guardian.fake.answers import LARGEST_BODY, bad_request
from harness_guardian.fake.refusals import too_large

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

FORM = "multipart/form-data"
LARGEST_FORM = LARGEST_BODY + 4096
"""Bytes of a form: a file as large as can be, and what stands around it."""

_UNSAID = "application/octet-stream"
_FIELD = "file"
_MOST_FIELDS = 8


async def read_upload(request: Request, body: bytes) -> tuple[bytes, str]:
    """Return the file of a form, and its media type.

    :param body: of the request, read already.
    :raises Refused: it is no form, has no field ``file`` or several, or the file is too long.
    """

    async def pieces() -> AsyncIterator[bytes]:
        yield body
        yield b""

    parser = MultiPartParser(
        request.headers,
        pieces(),  # type: ignore[arg-type]  # an iterator is all that it iterates over
        max_files=_MOST_FIELDS,
        max_fields=_MOST_FIELDS,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError, LookupError) as error:
        raise bad_request("the form cannot be read") from error
    try:
        files = form.getlist(_FIELD)
        if len(files) != 1 or not isinstance(files[0], UploadFile):
            raise bad_request(f"{_FIELD}: expected one file in this field of the form")
        content = await files[0].read()
    finally:
        await form.close()
    if len(content) > LARGEST_BODY:
        raise too_large(f"the file is longer than {LARGEST_BODY} bytes")
    return content, (files[0].content_type or _UNSAID).partition(";")[0].strip().lower()
