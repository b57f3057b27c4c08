"""Runs command lines of the harness, one after another, in one process that sees a virtual USB lab.

Each line of standard input is a list of words in JSON; each line of the output says what came of them.
"""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout

from harness.cli.main import execute


def main() -> None:
    """Run what comes until the input ends."""
    answers = sys.stdout
    for line in sys.stdin:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = execute(json.loads(line))
        answers.write(json.dumps([code, out.getvalue(), err.getvalue()]) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
