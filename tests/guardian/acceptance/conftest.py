"""A Guardian in this process, and devices on paper: what the seed's own words are held against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.guardian.fake.rest_site import a_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.guardian.fake.rest_site import Site


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A service in which no passing status lasts."""
    with a_site() as site:
        yield site
