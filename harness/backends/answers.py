"""Reads what a service answers into a vendor's models, and says of what does not fit no value."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import BackendFault

if TYPE_CHECKING:
    import httpx

Model = TypeVar("Model", bound=BaseModel)


def parse_answer(model: type[Model], response: httpx.Response, operation: str) -> Model:
    """Parse the body of an answer.

    :param operation: the service's own name of the call.
    :raises BackendFault: the body is not of this form; values are not repeated, since they may be secrets.
    """
    try:
        return model.model_validate_json(response.content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise BackendFault(
            f"{operation} was answered {response.status_code}, but not with what it must hold: "
            f"{where}: {first['msg']}"
        ) from None
