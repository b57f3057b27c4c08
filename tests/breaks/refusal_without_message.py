"""Break: a refusal does not say why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from harness_nordic.fake import answers
from harness_nordic.fake.choices import FAKE
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_nordic.fake.choices import Choices

TITLE = "a refusal does not say why"
EXPECTED = (
    "test_claiming.py::test_unfit_body*",
    "test_commands.py::test_unfit_request*",
)
ABOUT = r"message"


@replaces(answers, "problem")
def problem(status: int, message: str, choices: Choices = FAKE) -> JSONResponse:
    """Refuse without a word."""
    return JSONResponse({}, status_code=status)
