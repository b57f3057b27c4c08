"""The registry of secrets, and the one processor that every sink passes through.

A value is found whole, as it is and in base64, hex and the escapes of URLs, JSON, Python and XML, also one
within the other; in pieces, because programs wrap and cut what they print; a pattern where it matches.
Overlapping finds are joined before anything is replaced, so that no part of either is left over. What is
not found says ``docs/explanation/secrets.md``.
"""

from harness.redaction.active import protect_messages
from harness.redaction.patterns import COMMON_SECRETS, SHORTEST_SECRET, Secret
from harness.redaction.redactor import Redactor
from harness.redaction.stream import LONGEST_LINE, RedactedStream

__all__ = [
    "COMMON_SECRETS",
    "LONGEST_LINE",
    "SHORTEST_SECRET",
    "RedactedStream",
    "Redactor",
    "Secret",
    "protect_messages",
]
