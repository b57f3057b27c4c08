"""What the tests of the pages stand on: each time that a module is set up it begins anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guardian.pages.clinic import open_clinic

if TYPE_CHECKING:
    from pathlib import Path


def test_a_module_may_be_set_up_twice_in_one_process(tmp_path: Path) -> None:
    """As when a worker runs some of its tests, then others, then some of it that another worker had."""
    for time in ("first", "second"):
        directory = tmp_path / time
        directory.mkdir()

        with open_clinic(directory) as clinic:
            clinic.system("Infusion")

            systems = clinic.ask("GET", "/systems").json()["items"]
            assert [system["name"] for system in systems] == ["Infusion"], time
