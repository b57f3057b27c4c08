"""Redaction beside a plain copy: what a console says is written to a file, redacted and as it is.

50 registered secrets of the kinds that a session has (keys, private keys, tokens), typical console text, in
interleaved rounds of one run. What counts is the median of the rounds' ratios. ``--check`` makes a missed
target an error.
"""

from __future__ import annotations

import argparse
import base64
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from harness.redaction import Redactor

TARGET = 0.1
SECRETS = 50
CHUNKS = (4 * 1024, 64 * 1024)
LINES = 200_000
_LINES = (
    "[00:00:%02d.%03d,000] <inf> nrf_provisioning: state changed, event %d\r\n",
    '+CEREG: 5,"81AE","03229B%02d",7,,,"11100000","%03d%05d"\r\n',
    "%%CESQ: %02d,3,%03d,2,%d\r\n",
    "[00:00:%02d.%03d,000] <dbg> at_monitor: OK %d\r\n",
    '%%CMNG: 9100000%02d,%03d,"AC78E3BF4706DB494E0A74FF5E52A2E76C1240D05E561C143CA9FB73%08d"\r\n',
)


def make_secrets(generator: random.Random) -> list[str]:
    """Return keys, tokens and private keys, as a session registers them."""
    found = []
    for number in range(SECRETS):
        kind = number % 5
        if kind < 2:
            found.append(generator.randbytes(20).hex())
        elif kind < 4:
            found.append("2dn3" + base64.urlsafe_b64encode(generator.randbytes(150)).decode())
        else:
            body = base64.encodebytes(generator.randbytes(138)).decode()
            found.append(f"-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\n")
    return found


def make_text(secrets: list[str]) -> bytes:
    """Return what consoles say, with a secret every ten thousand lines."""
    lines = []
    for number in range(LINES):
        lines.append(_LINES[number % len(_LINES)] % (number % 60, number % 1000, number))
        if number % 10_000 == 9_999:
            lines.append(f"the board said {secrets[number % len(secrets)]}\r\n")
    return "".join(lines).encode()


def copy(data: bytes, file: Path, size: int) -> float:
    """Return bytes a second of a plain copy to a file, chunk by chunk."""
    start = time.perf_counter()
    with file.open("wb") as out:
        for at in range(0, len(data), size):
            out.write(data[at : at + size])
    return len(data) / (time.perf_counter() - start)


def redacted_copy(data: bytes, file: Path, size: int, redactor: Redactor) -> float:
    """Return bytes a second of a redacted copy to a file, chunk by chunk."""
    start = time.perf_counter()
    stream = redactor.stream()
    with file.open("wb") as out:
        for at in range(0, len(data), size):
            out.write(stream.feed(data[at : at + size]))
        out.write(stream.finish())
    return len(data) / (time.perf_counter() - start)


def main() -> int:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--check", action="store_true", help="exit with 1 when a target is missed")
    options = parser.parse_args()
    generator = random.Random(1)  # noqa: S311 - the same made-up secrets in every run
    secrets = make_secrets(generator)
    text = make_text(secrets)
    redactor = Redactor()
    for number, secret in enumerate(secrets):
        redactor.add(secret, f"secret {number}")
    start = time.perf_counter()
    redactor.redact_bytes(b"builds the automaton")
    built = time.perf_counter() - start
    print(f"{len(text) / 1e6:.1f} MB of console text, {SECRETS} secrets, known after {built * 1000:.0f} ms")
    missed = False
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "out"
        for size in CHUNKS:
            rounds = [
                (redacted_copy(text, file, size, redactor), copy(text, file, size))
                for _round in range(options.rounds)
            ]
            redacted_copy(text, file, size, redactor)
            assert not any(secret.encode() in file.read_bytes() for secret in secrets)
            ratio = statistics.median(ours / theirs for ours, theirs in rounds)
            ours, theirs = (statistics.median(column) / 1e6 for column in zip(*rounds, strict=True))
            met = ratio >= TARGET
            missed = missed or not met
            print(
                f"chunks of {size // 1024:3d} KiB  redacted {ours:6.1f} MB/s  plain copy {theirs:7.1f} MB/s"
                f"  ratio {ratio:.3f}   target ≥ {TARGET}: {'met' if met else 'MISSED'}"
            )
    return int(options.check and missed)


if __name__ == "__main__":
    sys.exit(main())
