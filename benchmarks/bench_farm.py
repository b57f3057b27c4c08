"""The scheduler alone, with a virtual clock, on farms of up to 1,000 boards: see ``farm_sim.py`` for all."""

from __future__ import annotations

import sys

from benchmarks.farm_sim import main

if __name__ == "__main__":
    sys.exit(main(["--quick", *sys.argv[1:]]))
