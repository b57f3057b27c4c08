"""``python -m harness.cli``: the ``harness`` command of this very Python."""

from harness.cli.main import main

main()
