"""What the breaks say of themselves, read without importing them: importing one would break this process."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = Path(__file__).resolve().parents[3]
BREAKS = ROOT / "tests" / "breaks"
SUITES = ROOT / "suites"
#: The suite whose breaks lie in no directory of its name.
SUITE = "suites/nrfcloud"


class Sort(Enum):
    """Whose tests notice a break."""

    SUITE = "the provisioning suite, on virtual boards against the fake"
    HARNESS = "the tests of the harness itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One defect that can be put into our own fake or board, or into the harness itself.

    :ivar plugin: its module's name, which ``HARNESS_PLUGINS`` takes.
    :ivar title: what is wrong with the product then.
    :ivar expected: patterns of the tests that must fail; ``*`` stands for any text.
    :ivar about: expression found in what each of these tests asserts.
    :ivar separate: each test needs a session of its own, because the defect outlives a test.
    :ivar sort: whose tests notice it.
    :ivar suite: the suite whose tests notice it, of the sort ``SUITE``.
    """

    plugin: str
    title: str
    expected: tuple[str, ...]
    about: str
    separate: bool = False
    sort: Sort = Sort.SUITE
    suite: str = SUITE

    @property
    def name(self) -> str:
        """What it is called in the list of breaks."""
        return self.plugin.rpartition(".")[2]

    @property
    def files(self) -> set[str]:
        """Files of the tests that must fail."""
        return {pattern.partition("::")[0] for pattern in self.expected}

    def choose(self, collected: Sequence[str]) -> list[str]:
        """Return the expected tests out of those that there are, in their order.

        :raises LookupError: a pattern fits none of them.
        """
        chosen: set[str] = set()
        for pattern in self.expected:
            expression = re.compile(".*".join(re.escape(piece) for piece in pattern.split("*")))
            fitting = [test for test in collected if expression.fullmatch(test)]
            if not fitting:
                raise LookupError(f"break {self.name} expects {pattern} to fail; there is no such test")
            chosen.update(fitting)
        return [test for test in collected if test in chosen]


def all_breaks(directory: Path = BREAKS) -> list[Break]:
    """Return every break: each module that has a ``TITLE``."""
    found = [read_break(path, directory) for path in sorted(directory.rglob("*.py"))]
    return [each for each in found if each is not None]


def read_break(path: Path, directory: Path = BREAKS) -> Break | None:
    """Read a module's constants; ``None`` if it is no break.

    :param path: the module.
    :param directory: of all breaks.
    :raises ValueError: it has a title, and lacks something else that a break must say.
    """
    constants = _constants(ast.parse(path.read_text(encoding="utf-8")).body)
    if "TITLE" not in constants:
        return None
    title, about = constants["TITLE"], constants.get("ABOUT")
    if not isinstance(title, str) or not isinstance(about, str) or not about:
        raise ValueError(f"{path.name}: TITLE and ABOUT must be texts")
    re.compile(about)
    if ("EXPECTED" in constants) == ("NOTICED_BY" in constants):
        raise ValueError(f"{path.name}: either EXPECTED (tests of a suite) or NOTICED_BY must be there")
    suite = suite_of(path, directory)
    sort = Sort.SUITE if "EXPECTED" in constants else Sort.HARNESS
    expected = constants.get("EXPECTED", constants.get("NOTICED_BY"))
    if not isinstance(expected, tuple) or not expected or not all(isinstance(one, str) for one in expected):
        raise ValueError(f"{path.name}: EXPECTED or NOTICED_BY must be a tuple of node-id patterns")
    return Break(
        plugin=".".join(["tests.breaks", *path.relative_to(directory).with_suffix("").parts]),
        title=title,
        expected=tuple(f"{suite}/{one}" for one in expected) if sort is Sort.SUITE else expected,
        about=about,
        separate=constants.get("SEPARATE", False) is True,
        sort=sort,
        suite=suite,
    )


def suite_of(path: Path, directory: Path = BREAKS) -> str:
    """Return the suite that a break is about: that of the directory in which it lies, or :data:`SUITE`."""
    named = path.relative_to(directory).parts[0]
    return f"suites/{named}" if (SUITES / named).is_dir() else SUITE


def all_suites(directory: Path = SUITES) -> list[str]:
    """Return every suite that has a test."""
    return [f"suites/{path.name}" for path in sorted(directory.iterdir()) if any(path.glob("test_*.py"))]


def _constants(body: Iterable[ast.stmt]) -> dict[str, object]:
    constants: dict[str, object] = {}
    for statement in body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            if name in {"TITLE", "EXPECTED", "NOTICED_BY", "ABOUT", "SEPARATE"}:
                constants[name] = ast.literal_eval(statement.value)
    return constants
