"""Let the virtual Mbed Linux devices of a bench make themselves known on this host."""

import sys
from pathlib import Path

from harness.virtual.client import BenchClient

with BenchClient(Path(sys.argv[1])) as bench:
    for state in bench.boards():
        bench.board(state.id).call("advertise", on=True)
        sys.stdout.write(f"{state.id} makes itself known\n")
