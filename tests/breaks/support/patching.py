"""How a break replaces a piece of our own fake or board: narrowly, and loudly when the piece is gone.

A break that silently patches nothing would look like a suite that notices nothing, so a name that does not
exist, or a function whose parameters are others than its replacement's, is an error at import, which ends
every process of the session.
"""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Replacement = TypeVar("Replacement", bound="Callable[..., Any]")


class BreakDoesNotFit(ImportError):
    """What a break wants to replace is not there, or is not what it was: the break cannot be imported."""


def replaces(owner: Any, name: str) -> Callable[[Replacement], Replacement]:
    """Decorate what stands in place of ``owner.name`` from now on.

    A property is replaced by a property, a static method by a static method.

    :param owner: the class, or the module whose code looks the name up.
    :param name: of a function, method or property.
    :raises BreakDoesNotFit: there is no such name, or its parameters are others.
    """
    before = existing(owner, name)

    def put(replacement: Replacement) -> Replacement:
        was, now = _parameters(before), _parameters(replacement)
        if was != now:
            raise BreakDoesNotFit(f"{_path(owner, name)} takes {was}, its replacement takes {now}")
        _put(owner, name, _like(before, replacement))
        return replacement

    return put


def sets(owner: Any, name: str, value: object) -> None:
    """Set a constant, or a class that a module uses.

    :raises BreakDoesNotFit: there is no such name.
    """
    existing(owner, name)
    _put(owner, name, value)


def existing(owner: Any, name: str) -> Any:
    """Return what is in place now, as it was written (a property, not its value).

    :raises BreakDoesNotFit: there is no such name.
    """
    if name not in vars(owner):
        raise BreakDoesNotFit(f"{_path(owner, name)} does not exist any more")
    return vars(owner)[name]


def _put(owner: Any, name: str, value: object) -> None:
    """Replace a name, and what modules made of it that imported it before.

    Where the owner is the module that defines it: a break may replace it for a single user as well.
    """
    before = existing(owner, name)
    setattr(owner, name, value)
    if isinstance(owner, ModuleType) and getattr(before, "__module__", None) == owner.__name__:
        for module in list(sys.modules.values()):
            if isinstance(module, ModuleType) and vars(module).get(name) is before and not _breaks(module):
                setattr(module, name, value)


def _breaks(module: ModuleType) -> bool:
    """Tell whether it is a break, which may still call what it replaces."""
    return module.__name__.startswith("tests.breaks.")


def _parameters(function: Any) -> list[str]:
    if isinstance(function, property):
        function = function.fget
    if isinstance(function, staticmethod):
        function = function.__func__
    return list(inspect.signature(function).parameters)


def _like(before: Any, replacement: Callable[..., Any]) -> Any:
    if isinstance(before, property):
        return property(replacement)
    return staticmethod(replacement) if isinstance(before, staticmethod) else replacement


def _path(owner: Any, name: str) -> str:
    module = getattr(owner, "__module__", "")
    return ".".join(filter(None, (module, getattr(owner, "__qualname__", owner.__name__), name)))
