r"""The device provisioning report: CSV, byte for byte (guardian fact sheet, section 8).

RFC 4180: lines end with CRLF, also the last one; a cell with a comma, a quote, CR or LF stands in quotes,
and quotes in it are doubled. A cell that a spreadsheet could take for a formula gets a leading apostrophe.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from harness_guardian.enums import COLUMN_TITLES, Column
from harness_guardian.fake.dates import compact_utc, iso_utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TypeAlias

    from harness_guardian.fake.choices import Choices

    #: What stands in a column: a text, a moment in seconds since the epoch, or nothing.
    Value: TypeAlias = str | float | None

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"
ERROR_CODE_TITLE = "Error code"
ALL_SYSTEMS = "all-systems"

#: The columns of the report; what a row offers to do is not data.
REPORT_COLUMNS = tuple(column for column in Column if column is not Column.ACTIONS)

_FORMULA = ("=", "+", "-", "@", "\t")
_QUOTED = re.compile(r'[",\r\n]')
_NOT_IN_FILE_NAMES = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')


def report(rows: Iterable[tuple[Mapping[Column, Value], str | None]], choices: Choices) -> bytes:
    """Return the report of some rows, in their order.

    :param rows: each the values of the columns, and the error code.
    """
    titles = [COLUMN_TITLES[column] for column in REPORT_COLUMNS]
    lines = [_line([*titles, ERROR_CODE_TITLE] if choices.report_error_code else titles)]
    for values, code in rows:
        cells = [cell(values[column]) for column in REPORT_COLUMNS]
        lines.append(_line([*cells, cell(code)] if choices.report_error_code else cells))
    return "".join(lines).encode()


def cell(value: Value) -> str:
    """Return the text of a cell: dates are always ISO 8601 in UTC, and no cell is a formula."""
    text = "" if value is None else value if isinstance(value, str) else iso_utc(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def file_name(system: str | None, moment: float, choices: Choices) -> str:
    """Return the name of the file: ``device-provisioning-report_<system>_<yyyymmddThhmmssZ>.csv``.

    :param system: ``None`` when the report is of all systems.
    """
    part = _NOT_IN_FILE_NAMES.sub("-", system if system is not None else ALL_SYSTEMS)
    return f"{choices.report_name}_{part}_{compact_utc(moment)}.csv"


def content_disposition(name: str) -> str:
    """Return the header that names the file; what is not ASCII is named by RFC 6266's second form, too."""
    plain = name.encode("ascii", "replace").decode().replace("?", "-")
    header = f'attachment; filename="{plain}"'
    return header if plain == name else f"{header}; filename*=UTF-8''{quote(name, safe='')}"


def _line(cells: Sequence[str]) -> str:
    return ",".join(_quoted(text) for text in cells) + "\r\n"


def _quoted(text: str) -> str:
    if not _QUOTED.search(text):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'
