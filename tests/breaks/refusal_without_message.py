"""Break: a refusal does not say why."""

from __future__ import annotations

from starlette.responses import JSONResponse

from harness_nordic.fake import answers
from tests.breaks.support.patching import replaces

TITLE = "a refusal does not say why"
EXPECTED = (
    "test_claiming.py::test_unfit_body*",
    "test_commands.py::test_unfit_request*",
)
ABOUT = r"message"


@replaces(answers, "problem")
def problem(status: int, message: str) -> JSONResponse:
    """Refuse without a word."""
    return JSONResponse({}, status_code=status)
