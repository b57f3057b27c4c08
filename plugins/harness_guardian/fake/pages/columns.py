"""Which of the 21 columns a user sees (guardian fact sheet, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.enums import COLUMN_TITLES, Column
from harness_guardian.fake.pages.choices_shown import Choice

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness_guardian.fake.records import User

#: How a column is dressed; what is not named here is a name.
KINDS = {
    Column.SYSTEM_INSTANCE_ID: "id",
    Column.COMPONENT_INSTANCE_ID: "id",
    Column.REQUEST_ID: "id",
    Column.RESPONSE_ID: "id",
    Column.COMPONENT_INSTANCE_CREATED_ON: "date",
    Column.REQUEST_CREATED_ON: "date",
    Column.RESPONSE_CREATED_ON: "date",
    Column.APPROVED_ON: "date",
    Column.REJECTED_ON: "date",
    Column.PROVISIONED_ON: "date",
    Column.PROVISIONING_STATUS: "status",
    Column.ACTIONS: "actions",
}


class ColumnChooser:
    """Remembers what each user chose; who chose nothing sees the columns of the choices."""

    def __init__(self, default: Sequence[Column]) -> None:
        """Begin with nobody's choice.

        :param default: what is shown by default.
        """
        self._default = tuple(default)
        self._chosen: dict[tuple[str, str], tuple[Column, ...]] = {}

    def of(self, user: User) -> tuple[Column, ...]:
        """Return what a user sees, in the order of the seed."""
        return self._chosen.get(_key(user), self._default)

    def choose(self, user: User, names: Iterable[str]) -> bool:
        """Remember what a user wants to see.

        :param names: slugs; what names no column is left out.
        :return: whether anything is left to be seen; nothing changes otherwise.
        """
        wanted = set(names)
        columns = tuple(column for column in Column if column in wanted)
        if columns:
            self._chosen[_key(user)] = columns
        return bool(columns)

    def forget(self, user: User) -> None:
        """Let a user see the columns of the choices again."""
        self._chosen.pop(_key(user), None)

    def offered(self, user: User) -> list[Choice]:
        """Return what the chooser shows to a user: every column, and whether it is seen."""
        shown = self.of(user)
        return [Choice(value=column, text=COLUMN_TITLES[column], chosen=column in shown) for column in Column]


def _key(user: User) -> tuple[str, str]:
    return user.organisation, user.name
