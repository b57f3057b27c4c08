"""AT as nRF91 firmware speaks it: how a command is sent and how its reply is read.

Sources: nrfcloud fact sheet, sections 5, 6.1 and 7.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.console.zephyr_shell import is_complaint

_FINAL = re.compile(r"OK|ERROR|\+CM[ES] ERROR: ?\S.*")
_CODE = re.compile(r"\+CME ERROR: ?([0-9]{1,9})")
_NAME = re.compile(r"AT([+%#][A-Z0-9]+)", re.IGNORECASE)
# What comes unasked: registration, connection, time, SIM, modem events, provisioning; "Ready" after a boot.
_UNSOLICITED = re.compile(
    r"(\+CEREG|\+CSCON|\+CGEV|%XTIME|%XSIM|%MDMEV|%XMODEMSLEEP|%CESQ|#XNRFPROV|#XMODEM): ?.*|Ready|INIT ERROR"
)
_WRITTEN_CONTENT = re.compile(r"(%CMNG\s*=\s*0*0\s*,\s*\d*\s*,?\s*\d*\s*,?).*", re.IGNORECASE | re.DOTALL)
# Types of credential that are secrets (section 5.4): a private key and a pre-shared key; then its password.
_SECRET_CONTENT = re.compile(
    r'(?:%CMNG\s*=\s*0+\s*,\s*\d+\s*,\s*0*([23])\s*,\s*|%CMNG: \d+,([23]),"[0-9A-F]*",)'
    r'"?([^"]+)"?(?:\s*,\s*"([^"]*)")?',
    re.IGNORECASE,
)
_SECRET_REPLY = re.compile(r'%(ATTESTTOKEN|JWT): ?"?([^"\s]+)')
_CREDENTIAL_WRITE = re.compile(r"\s*AT%CMNG\s*=\s*0+\s*,", re.IGNORECASE)
_LABELS = {"2": "private key", "3": "pre-shared key", "ATTESTTOKEN": "attestation token", "JWT": "token"}


@dataclass(frozen=True, slots=True)
class AtDialect:
    """The dialect of one command.

    :ivar command: the command; a line of its own name answers it and did not come unasked.
    """

    command: str

    def encode(self, command: str) -> bytes:
        """End the command with CR and LF, which every choice of terminator but NULL accepts."""
        return command.encode() + b"\r\n"

    def is_final(self, line: str) -> bool:
        """Tell whether a line ends a reply; alone on its line; so does what a shell makes of it."""
        return _FINAL.fullmatch(line.strip()) is not None or is_complaint(line)

    def is_unsolicited(self, line: str) -> bool:
        """Tell whether a line came unasked."""
        if _UNSOLICITED.fullmatch(line) is None:
            return False
        name = _NAME.match(self.command)
        return name is None or not line.startswith(f"{name[1].upper()}:")

    def is_echo(self, line: str, command: str) -> bool:
        """Tell whether a line is the echo of the command; plain AT hosts have none."""
        return line == command


def error_code(final: str) -> int | None:
    """Return the number of ``+CME ERROR: <n>``, ``None`` for any other line."""
    match = _CODE.fullmatch(final.strip())
    return int(match[1]) if match else None


def is_credential_write(command: str) -> bool:
    """Tell whether a command writes a credential."""
    return _CREDENTIAL_WRITE.match(command) is not None


def without_content(command: str) -> str:
    """Return a command for messages: what a write carries is left out, for it may be a secret."""
    return _WRITTEN_CONTENT.sub(r"\1...", command)


def secrets_in(text: str) -> list[tuple[str, str]]:
    """Return what of a command or of a reply must never be shown, with labels."""
    found = [(match[2], _LABELS[match[1]]) for match in _SECRET_REPLY.finditer(text)]
    for match in _SECRET_CONTENT.finditer(text):
        found.append((match[3], _LABELS[match[1] or match[2]]))
        if match[4]:
            found.append((match[4], "key password"))
    return found
