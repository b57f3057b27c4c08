"""One browser for all tests of Guardian's pages; each module has a fake of its own."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.guardian.pages.clinic import open_clinic
from tests.guardian.pages.looking import Looker, start_browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome

    from tests.guardian.pages.clinic import Clinic


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Chromium without a window, or a skip."""
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: see make system-deps")
    with ExitStack() as resources:
        started = start_browser(tmp_path_factory.mktemp("profile"))
        resources.callback(started.quit)
        yield started


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """A fake of the module's own: where workers share out tests, one may set the same module up twice."""
    with open_clinic(tmp_path_factory.mktemp("fake")) as made:
        yield made


@pytest.fixture(scope="module")
def looker(browser: Chrome, clinic: Clinic) -> Looker:
    """Somebody in front of the browser."""
    return Looker(browser, str(clinic.service.base_url), clinic.tokens)
