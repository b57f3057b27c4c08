"""What a service answers is read into a model; what does not fit is told without a value."""

from __future__ import annotations

import httpx
import pytest
from pydantic import BaseModel

from harness.backends.answers import parse_answer
from harness.errors import BackendFault


class Inner(BaseModel):
    """A part of an answer."""

    key: int


class Outer(BaseModel):
    """An answer."""

    inner: Inner


def test_answer_that_fits() -> None:
    """The body becomes the model."""
    response = httpx.Response(200, content=b'{"inner": {"key": 7}}')

    assert parse_answer(Outer, response, "read it") == Outer(inner=Inner(key=7))


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"inner": {"key": "ak_secret"}}', "inner.key"),
        (b'{"inner": ["ak_secret"]}', "inner"),
        (b"ak_secret", "body"),
        (b"", "body"),
    ],
)
def test_answer_that_does_not_fit(body: bytes, where: str) -> None:
    """The message names operation, status and place; never the value, for it may be a secret."""
    with pytest.raises(BackendFault) as caught:
        parse_answer(Outer, httpx.Response(203, content=body), "read it")

    assert str(caught.value).startswith(
        f"read it was answered 203, but not with what it must hold: {where}: "
    )
    assert "ak_secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
