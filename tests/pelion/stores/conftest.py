"""Stores below a home of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness_pelion.resources import DeveloperCredentials, UpdateResources
from harness_pelion.stores import Stores, open_stores

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    """The stores of a person who has none yet."""
    return open_stores(tmp_path)


@pytest.fixture
def update() -> UpdateResources:
    """Real update resources."""
    file = GOLDEN / "update_2_6_2.c"
    return UpdateResources.from_c(file.read_text(), "upd", file=file)


@pytest.fixture
def developer() -> DeveloperCredentials:
    """Developer credentials, whose values nobody looks into."""
    return DeveloperCredentials("dev", {name: name.encode() for name in DeveloperCredentials.REQUIRED})
