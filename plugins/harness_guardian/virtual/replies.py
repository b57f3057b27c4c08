"""What the agent answers to a command, before it is written for a console or for SSH."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_guardian.virtual.errors import AgentCode
from harness_guardian.virtual.files import printable

if TYPE_CHECKING:
    from harness_guardian.virtual.errors import AgentRefusal

_LONGEST_TEXT = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer.

    :ivar lines: data lines.
    :ivar code: how the command ended.
    :ivar text: of an error what is wrong; of ``provision`` what came of it.
    :ivar output: content that SSH writes as it is.
    """

    lines: tuple[str, ...] = ()
    code: AgentCode = AgentCode.OK
    text: str = ""
    output: bytes = b""

    @classmethod
    def refusing(cls, refusal: AgentRefusal) -> Reply:
        """Return the answer that a refusal is."""
        return cls(code=refusal.code, text=refusal.text)

    @property
    def final_line(self) -> str:
        """The line that ends it."""
        if self.code is AgentCode.OK:
            return "OK"
        return f"ERROR {self.code:d} {self.code.name}: {printable(self.text, _LONGEST_TEXT)}"

    @property
    def announcement(self) -> str:
        """The unsolicited line that says how provisioning ended."""
        return f"+PROVISION: {self.code:d} {self.code.name} {printable(self.text, _LONGEST_TEXT)}"
