"""Two identical boards that are unplugged, swapped and replugged at random are never mistaken for each other.

``HARNESS_HOTPLUG_SEED`` repeats a run.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.virtual.usb.strangers import plug_in_strangers, what_strangers_heard

if TYPE_CHECKING:
    from tests.virtual.usb.lab import Lab

REPOSITORY = Path(__file__).parents[2]
ROUNDS = 25
_ROUND = re.compile(r"round +(\d+) \(.*\): .+ at 1-1\.\d on ttyACM\d and ttyACM\d, .+ at 1-1\.\d on .+")


@pytest.mark.parametrize("serials", [("000960000001", "000960000002"), ("000960000007", "000960000007")])
def test_identities_are_never_mistaken(usb_lab: Lab, serials: tuple[str, str], capsys: Any) -> None:
    """Whatever is plugged where under which name, each board hears all that it was sent and nothing else."""
    seed = os.environ.get("HARNESS_HOTPLUG_SEED", secrets.token_hex(4))
    for name, serial, port in zip(("one", "two"), serials, ("1-1.1", "1-1.2"), strict=True):
        usb_lab.client.add("nrf9160dk-virtual", id=name, usb={"port": port, "serial": serial})

    plug_in_strangers(usb_lab.client, "adapter", "bridge")

    played = usb_lab.run(
        [sys.executable, "-m", "tests.hotplug.two_boards", str(usb_lab.bench.socket), seed, str(ROUNDS)],
        cwd=REPOSITORY,
        measured=False,  # the rounds are many, and what they run is measured elsewhere
        timeout=100,
    )

    with capsys.disabled():
        numbers = " and ".join(serials)
        sys.stdout.write(f"\ntwo boards, serial numbers {numbers}, HARNESS_HOTPLUG_SEED={seed}\n")
        sys.stdout.write(played.stdout)
    assert played.returncode == 0, f"HARNESS_HOTPLUG_SEED={seed}\n{played.stderr}"
    assert [_ROUND.fullmatch(line)[1] for line in played.stdout.splitlines()] == [  # type: ignore[index]  # a miss fails
        str(number) for number in range(1, ROUNDS + 1)
    ]
    assert what_strangers_heard(usb_lab.client) == {}
