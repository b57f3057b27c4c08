"""What runs in a network of its own: a device at port 22, and a person who finds, selects and provisions it.

Run by ``test_namespaces.py`` below ``unshare -rn``: there port 22 is free, and a pair of virtual Ethernet
interfaces has real link-local addresses (pelion fact sheet, section 7). Arguments: scenario, directory.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.backends.contract import BackendSession
from harness.backends.launcher import start_fake
from harness.cli.main import execute
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from harness_pelion.client import connect
from harness_pelion.plugin import harness_backends
from tests.pelion.described import described_device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.virtual.client import VirtualBoardControls
    from harness_pelion.client import PelionClient

SECONDS = 20.0
#: The device's end of the link, and that of whoever looks for it.
DEVICE, HOST = "device0", "host0"
FILE = Path(__file__).parents[1] / "golden/update_1_5_2.c"
CONFIGURED = "Device is configured correctly. You can connect to Pelion Cloud!\n"


def ip(*words: str) -> str:
    """Run iproute2's program."""
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


def lay_cable() -> str:
    """Join two interfaces by a cable; return the link-local address of the device's end."""
    ip("link", "add", "name", DEVICE, "type", "veth", "peer", "name", HOST)
    for interface, address in ((DEVICE, "fe80::dead:8"), (HOST, "fe80::dead:9")):
        ip("link", "set", "dev", interface, "addrgenmode", "none", "up")
        # Nobody else can have it: it is used at once, and not only after a second of asking.
        ip("address", "add", f"{address}/64", "dev", interface, "nodad")
    (found,) = json.loads(ip("-json", "-6", "address", "show", "dev", DEVICE))[0]["addr_info"]
    assert (found["scope"], found.get("tentative")) == ("link", None), found
    return str(found["local"])


def pelion(*arguments: str) -> str:
    """Run ``harness pelion ...``; return what it printed."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = execute(["pelion", *arguments])
    assert code == 0, f"{arguments} ended with {code}: {out.getvalue()}{err.getvalue()}"
    return out.getvalue()


def ssh(target: str) -> str:
    """Ask a device for its name by OpenSSH's client, which knows port 22 alone."""
    words = ["ssh", "-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    done = subprocess.run(
        [*words, f"root@{target}", "cat /etc/hostname"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextlib.contextmanager
def world(place: Path, **options: Any) -> Iterator[tuple[PelionClient, VirtualBoardControls]]:
    """Start a fake and a device; the person's home has an API key, and selected nothing yet."""
    (spec,) = harness_backends()
    keys: list[str] = []
    session = BackendSession(
        run_id="ns", worker="main", register_secret=lambda value, _label: keys.append(value)
    )
    home = place / "home"
    home.mkdir()
    os.environ["HOME"] = str(home)
    with contextlib.ExitStack() as stack:
        fake = stack.enter_context(start_fake(spec, place, lifeline=None))
        bench = stack.enter_context(
            start_bench(place / "b", [("mbl-device-virtual", "mbl", {"ssh_port": 22, **options})])
        )
        controls = stack.enter_context(BenchClient(bench.socket))
        account = connect(fake.backend, session)
        stack.callback(account.close)
        os.environ |= {"PELION_URL": fake.backend.url, "PELION_API_KEY": keys[0]}
        pelion("save-api-key")
        del os.environ["PELION_API_KEY"]
        yield account, controls.board("mbl")


def provision(account: PelionClient, device: VirtualBoardControls) -> None:
    """Provision the selected device, up to its entry in the directory."""
    assert "without error" in pelion("provision", "dev", "upd", "-c", "-p", str(FILE), "--restart")
    assert pelion("status") == CONFIGURED
    (certificate,) = account.developer_certificates()
    found = described_device(account, certificate.id, SECONDS)
    assert found.vendor_id == "fa6b4a53d5ad5fdfbe9de663e4d41ffe"
    assert device.call("file_mode", path="/scratch/provisioning-certs") is None
    assert {each["user"] for each in device.call("connections")} >= {"root"}


def loopback(place: Path) -> None:
    """Provision a device at another loopback address, and MBL CLI's one port."""
    with world(place, ssh_address="127.20.30.40", host_number=7) as (account, device):
        assert pelion("select", "--address", "127.20.30.40") == "selected: 127.20.30.40 (127.20.30.40)\n"
        assert pelion("which") == "- (127.20.30.40)\n"
        assert ssh("127.20.30.40") == "mbed-linux-os-7"
        provision(account, device)


def link_local(place: Path) -> None:
    """Find a device on the link alone, select it by its name, and provision it over its scoped address."""
    address = lay_cable()
    options = {"ssh_address": f"{address}%{DEVICE}", "mdns": True, "host_number": 8}
    with world(place, **options) as (account, device):
        shown = pelion("select", "mbed-linux-os-8", "--timeout", str(SECONDS))
        selected = json.loads((Path.home() / ".mbl-dev.json").read_text())
        plain, _, interface = selected["address"].partition("%")
        assert plain == address
        assert interface in {DEVICE, HOST}
        assert selected["port"] == 22
        assert f"1: mbed-linux-os-8: {selected['address']}\n" in shown
        assert pelion("which") == f"mbed-linux-os-8 ({selected['address']})\n"
        # By the other end of the cable, whichever was found.
        pelion("select", "--address", f"{address}%{HOST}")
        assert ssh(f"{address}%{HOST}") == "mbed-linux-os-8"
        provision(account, device)
        kept = json.loads((Path.home() / ".mbl-dev.json").read_text())
        assert kept["address"] == f"{address}%{HOST}"
        assert kept["host_key"] == device.call("ssh")["host_key"]


SCENARIOS: dict[str, Callable[[Path], None]] = {"loopback": loopback, "link-local": link_local}


def main() -> None:
    """Run one scenario."""
    name, place = sys.argv[1:]
    ip("link", "set", "lo", "up")
    SCENARIOS[name](Path(place))


if __name__ == "__main__":
    main()
