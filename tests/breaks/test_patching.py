"""Breaks replace what is there, and are errors when it is not there any more."""

from __future__ import annotations

import sys
import types

import pytest

from tests.breaks.support.patching import BreakDoesNotFit, existing, replaces, sets


def product() -> type:
    """Make a class to break."""

    class Product:
        LIMIT = 20

        def accepts(self, count: int) -> bool:
            return count <= self.LIMIT

        @property
        def name(self) -> str:
            return "product"

        @staticmethod
        def double(number: int) -> int:
            return 2 * number

    return Product


def test_method_is_replaced() -> None:
    """The replacement is called in place of the method, which it can still reach."""
    owner = product()
    before = existing(owner, "accepts")

    @replaces(owner, "accepts")
    def accepts(self: object, count: int) -> bool:
        return not before(self, count)

    assert owner().accepts(21)
    assert not owner().accepts(20)


def test_property_stays_a_property() -> None:
    """A property is replaced by a function and read as before."""
    owner = product()

    @replaces(owner, "name")
    def name(self: object) -> str:
        return "broken"

    assert owner().name == "broken"


def test_static_method_stays_static() -> None:
    """A static method gets no ``self``."""
    owner = product()

    @replaces(owner, "double")
    def double(number: int) -> int:
        return 3 * number

    assert owner().double(2) == 6


def test_constant_is_set() -> None:
    """A constant of a module is another one afterwards."""
    module = types.ModuleType("module")
    vars(module)["LIMIT"] = 20

    sets(module, "LIMIT", 21)

    assert vars(module)["LIMIT"] == 21


def test_missing_name() -> None:
    """What does not exist cannot be broken, also when it is inherited: it would be the wrong place."""
    owner = product()
    heir = type("Heir", (owner,), {})

    for nothing in (
        lambda: replaces(owner, "gone"),
        lambda: sets(heir, "LIMIT", 1),
        lambda: existing(heir, "name"),
    ):
        with pytest.raises(BreakDoesNotFit, match="does not exist any more"):
            nothing()


def test_other_parameters() -> None:
    """A function that takes other parameters than it did is not what the break was written for."""
    owner = product()

    with pytest.raises(BreakDoesNotFit, match=r"accepts takes \['self', 'count'\], its replacement takes"):

        @replaces(owner, "accepts")
        def accepts(self: object, number: int) -> bool:
            return True

    assert not owner().accepts(21)


def test_who_imported_it_before_gets_the_replacement(monkeypatch: pytest.MonkeyPatch) -> None:
    """A break of the module that defines a function reaches all who use it, one of a user only that user."""
    names = ("origin", "first", "second", "tests.breaks.of_this")
    origin, first, second, own = (types.ModuleType(name) for name in names)
    exec("def rule():\n    return 'whole'", vars(origin))  # noqa: S102  # it is defined in that module
    for module in (origin, first, second, own):
        monkeypatch.setitem(sys.modules, module.__name__, module)
        module.rule = origin.rule  # type: ignore[attr-defined]

    @replaces(first, "rule")
    def of_one() -> str:
        return "broken here"

    assert (origin.rule(), first.rule(), second.rule()) == ("whole", "broken here", "whole")

    @replaces(origin, "rule")
    def of_all() -> str:
        return "broken"

    assert (origin.rule(), first.rule(), second.rule()) == ("broken", "broken here", "broken")
    assert own.rule() == "whole"
