"""TOML files that people write: read, checked by a model, and refused with one message.

The message names the file, the key, the value and what was expected; an unknown key is refused with the
nearest one that there is.
"""

from __future__ import annotations

import difflib
import tomllib
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ConfigDict

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_PYDANTICS_WORDS = (
    "Input should be ",
    "String should ",
    "Dictionary should ",
    "List should ",
    "Tuple should ",
    "Value error, ",
)


class Part(BaseModel):
    """A table of a file: nothing is converted, nothing unknown is taken, nothing changes afterwards."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


def read_toml(file: Path) -> dict[str, Any]:
    """Read a file.

    :param file: the file.
    :raises UsageError: it cannot be read or is not TOML; the message has the line.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read: {error.strerror}", file=file) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"is not TOML: {error}", file=file) from error


def first_mistake(
    file: Path, error: ValidationError, model: type[BaseModel], hidden: Collection[str] = ()
) -> UsageError:
    """Turn one of the things that pydantic found wrong into our own message.

    An unknown key goes before everything else: misspelt, it is why another one is missing.

    :param file: the file.
    :param error: what pydantic says.
    :param model: the model of the whole file.
    :param hidden: fields of the model that are no keys of the file.
    """
    details = error.errors(include_url=False)
    detail = next((one for one in details if one["type"] == "extra_forbidden"), details[0])
    location = tuple(part for part in detail["loc"] if part != "[key]")
    if detail["type"] == "extra_forbidden":
        known = known_keys(model, location[:-1], hidden)
        near = nearest(str(location[-1]), known)
        return UsageError(
            "unknown key",
            file=file,
            key=dotted(location),
            expected=f"{near} (the nearest key)" if near else "one of " + ", ".join(known),
        )
    if detail["type"] == "missing":
        return UsageError("missing key", file=file, key=dotted(location), expected="this key to be there")
    return UsageError(
        "does not fit",
        file=file,
        key=dotted(location) or None,
        value=detail["input"],
        expected=_expectation(detail),
    )


def _expectation(detail: ErrorDetails) -> str:
    message: str = detail["msg"]
    for prefix in _PYDANTICS_WORDS:
        message = message.removeprefix(prefix)
    return message


def dotted(location: Iterable[int | str]) -> str:
    """Write where a value is in a file: ``board[0].endpoints.console``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def known_keys(
    model: type[BaseModel], location: Iterable[int | str], hidden: Collection[str] = ()
) -> list[str]:
    """Return the keys that a table may have.

    :param model: the model of the whole file.
    :param location: where the table is in the file.
    :param hidden: fields of the model that are no keys of the file.
    """
    for part in location:
        field = model.model_fields.get(str(part))
        if field is not None:  # else a number in an array of tables, or a name that the user chose
            model = next(_models(field.annotation), model)
    return [name for name in model.model_fields if name not in hidden]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word nearest to another, or ``None`` if nothing is near.

    :param word: what was written.
    :param known: what could have been meant.
    """
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return close[0] if close else None
