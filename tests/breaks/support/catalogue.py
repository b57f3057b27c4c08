"""What the breaks say of themselves, read without importing them: importing one would break this process."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BREAKS = Path(__file__).resolve().parent.parent
PACKAGE = "tests.breaks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One defect that can be put into our own fake or board.

    :ivar name: name of its module.
    :ivar title: what is wrong with the product then.
    :ivar expected: patterns of the tests that must fail, relative to the suite; ``*`` stands for any text.
    :ivar about: expression found in what each of these tests asserts.
    :ivar separate: each test needs a session of its own, because the defect outlives a test.
    """

    name: str
    title: str
    expected: tuple[str, ...]
    about: str
    separate: bool = False

    @property
    def plugin(self) -> str:
        """What ``HARNESS_PLUGINS`` names."""
        return f"{PACKAGE}.{self.name}"

    def choose(self, collected: Sequence[str]) -> list[str]:
        """Return the expected tests out of those that a suite has, in the suite's order.

        :raises LookupError: a pattern fits none of them.
        """
        chosen: set[str] = set()
        for pattern in self.expected:
            expression = re.compile(".*".join(re.escape(piece) for piece in pattern.split("*")))
            fitting = [test for test in collected if expression.fullmatch(test)]
            if not fitting:
                raise LookupError(f"break {self.name} expects {pattern} to fail; the suite has no such test")
            chosen.update(fitting)
        return [test for test in collected if test in chosen]


def all_breaks(directory: Path = BREAKS) -> list[Break]:
    """Return every break: each module that has a ``TITLE``."""
    found = [read_break(path) for path in sorted(directory.glob("*.py"))]
    return [each for each in found if each is not None]


def read_break(path: Path) -> Break | None:
    """Read a module's constants; ``None`` if it is no break.

    :raises ValueError: it has a title, and lacks something else that a break must say.
    """
    constants = _constants(ast.parse(path.read_text(encoding="utf-8")).body)
    if "TITLE" not in constants:
        return None
    title, expected, about = (constants.get(name) for name in ("TITLE", "EXPECTED", "ABOUT"))
    if not isinstance(title, str) or not isinstance(about, str) or not about:
        raise ValueError(f"{path.name}: TITLE and ABOUT must be texts")
    if not isinstance(expected, tuple) or not expected or not all(isinstance(one, str) for one in expected):
        raise ValueError(f"{path.name}: EXPECTED must be a tuple of node-id patterns")
    re.compile(about)
    separate = constants.get("SEPARATE", False) is True
    return Break(name=path.stem, title=title, expected=expected, about=about, separate=separate)


def _constants(body: Iterable[ast.stmt]) -> dict[str, object]:
    constants: dict[str, object] = {}
    for statement in body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            if name in {"TITLE", "EXPECTED", "ABOUT", "SEPARATE"}:
                constants[name] = ast.literal_eval(statement.value)
    return constants
