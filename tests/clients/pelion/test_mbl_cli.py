"""A double of the public MBL CLI, quirks and all, against the served fake and a virtual device."""

from __future__ import annotations

import ast
import hashlib
import json
import shlex
import shutil
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from tests.clients.pelion.world import GOLDEN, HERE

if TYPE_CHECKING:
    from tests.clients.pelion.world import Mbl, World

FILE = "update_default_resources.c"
FOLDER = "/scratch/provisioning-certs"
UTIL = "/opt/arm/pelion-provisioning-util"
FOUR = [
    [f"rm -r -f {FOLDER}", f"mkdir -p {FOLDER}"],
    [
        f"scp -r -t {FOLDER}",
        f"scp -r -t {FOLDER}",
        f"mv {FOLDER}/dev/* {FOLDER}",
        f"mv {FOLDER}/update/* {FOLDER}",
    ],
    [f"{UTIL} --provision"],
    [f"rm -r -f {FOLDER}"],
]
SECONDS = 30.0
EXISTS = (
    "The developer certificate you are trying to create already exists in the "
    "Pelion Device Management Portal."
)


@pytest.fixture
def ready(mbl: Mbl, world: World) -> Mbl:
    """A person who has saved the API key."""
    saved = mbl("save-api-key", world.key)
    assert (saved.status, saved.errors) == (0, "")
    return mbl


def digest(content: bytes) -> str:
    """Return how the device shows an item."""
    return hashlib.sha256(content).hexdigest()


def test_double_has_nothing_of_ours() -> None:
    """It imports the standard library, its own modules and the vendor's SDK."""
    trees = [ast.parse(file.read_text()) for file in (HERE / "mbl_cli_double").glob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    named = [each.name for node in nodes if isinstance(node, ast.Import) for each in node.names]
    named += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0]

    assert {name.partition(".")[0] for name in named} - sys.stdlib_module_names == {"mbed_cloud"}


def test_whole_way(ready: Mbl, world: World) -> None:
    """From an API key to a registered device, in four connections; only the last ``r`` is lost."""
    ready.connections()

    done = ready("provision-pelion", "dev", "update", "-c", "-p", FILE)

    assert done.status == 0, done.errors
    assert "Provisioning process completed without error." in done.output
    assert ready.connections() == FOUR
    assert ready.device.call("file_mode", path=FOLDER) is None
    (certificate,) = world.account.developer_certificates()
    items = ready.items()
    assert items["mbed.Manufacturer"]["sha256"] == digest(b"dev_manufacture")
    assert items["mbed.ModelNumber"]["sha256"] == digest(b"dev_model_num")
    assert items["mbed.EndpointName"]["sha256"] == digest(certificate.id.encode())
    assert items["mbed.UpdateAuthCert"]["sha256"] == digest((GOLDEN / "update_1_5_2.der").read_bytes())
    status = ready("get-pelion-status")
    assert (status.status, status.errors) == (0, "")
    assert "Device is configured correctly. You can connect to Pelion Cloud!" in status.output
    assert ready("shell", "systemctl restart mbl-cloud-client").status == 0
    device = world.registered_device(certificate.id)
    assert (device.vendor_id, device.device_class) == (
        "fa6b4a53d5ad5fdfbe9de663e4d41ffe",
        "4d131344feab5a2e84a20dccdd905f35",
    )
    assert ready("list-certificates").output.splitlines() == ["dev", "update", "dev"]
    assert ready("delete-certificate", "dev").status == 0
    assert world.account.trusted_certificates() == []
    assert ready("list-certificates").output.splitlines() == ["update"]


def test_line_of_the_document_fails(ready: Mbl, world: World) -> None:
    """The certificate is made and stored first; then the path is taken for a name that nobody knows."""
    ready.connections()

    done = ready("provision-pelion", "dev", f"./{FILE}", "--create-dev-cert")

    assert (done.status, done.errors) == (255, f"Certificate './{FILE}' not found in the store.\n")
    assert [each.name for each in world.account.developer_certificates()] == ["dev"]
    assert (ready.team / "dev/MBED_CLOUD_DEV_BOOTSTRAP_DEVICE_PRIVATE_KEY.bin").exists()
    assert (ready.connections(), ready.items()) == ([], {})


def test_certificate_that_exists(ready: Mbl) -> None:
    """A taken name is known by the phrase of the answer alone."""
    assert ready("provision-pelion", "dev", "update", "-c", "-p", FILE).status == 0

    again = ready("provision-pelion", "dev", "update", "-c")

    assert (again.status, again.errors) == (
        255,
        f"{EXISTS}\n",
    )


def test_certificate_of_the_cloud(ready: Mbl, world: World) -> None:
    """One that a colleague made is fetched, stored and used."""
    world.account.create_developer_certificate("other")
    world.account.create_developer_certificate("dev")

    assert ready("provision-pelion", "dev", "update", "-p", FILE).status == 0

    assert len(list((ready.team / "dev").iterdir())) == 12
    assert len(list((ready.team / "update").iterdir())) == 7


def test_certificate_of_nobody(ready: Mbl, world: World) -> None:
    """The error names what there is."""
    world.account.create_developer_certificate("other")

    failed = ready("provision-pelion", "dev", "update", "-p", FILE)

    assert (failed.status, failed.errors) == (
        255,
        "The developer certificate does not exist. Available certificates: other\n",
    )


def test_without_a_key(mbl: Mbl) -> None:
    """Nobody has saved one: the service is not asked."""
    failed = mbl("provision-pelion", "dev", "update", "-c", "-p", FILE)

    assert (failed.status, failed.errors) == (255, "You have not added an API key to the store.\n")
    assert (mbl.team / "update").is_dir()


def test_wrong_key_is_not_saved(mbl: Mbl) -> None:
    """The service does not know it."""
    failed = mbl("save-api-key", "ak_" + "0" * 40)

    assert failed.status == 255
    assert "401" in failed.errors
    assert not (mbl.world.home / ".mbl-store/user").exists()


def test_dead_host(mbl: Mbl, world: World) -> None:
    """No answer is no refusal, and 255 too."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    failed = mbl("save-api-key", world.key, MBED_CLOUD_SDK_HOST=f"http://127.0.0.1:{port}")

    assert failed.status == 255
    assert "Connection refused" in failed.errors


@pytest.mark.parametrize(
    ("include", "error"),
    [
        ("#include <inttypes.h>", "not enough values to unpack (expected 2, got 1)"),
        ("#include <stdint.h>\n#include <stdint.h>", "too many values to unpack (expected 2)"),
    ],
)
def test_update_file_with_another_include(ready: Mbl, include: str, error: str) -> None:
    """Exactly one such line, or nothing is stored (pelion fact sheet, section 1.5)."""
    file = ready.world.home / FILE
    file.write_text(file.read_text().replace("#include <stdint.h>", include))

    failed = ready("provision-pelion", "dev", "update", "-c", "-p", FILE)

    assert failed.status == 255
    assert failed.errors.startswith(error)
    assert not (ready.team / "update").exists()


def test_newer_tools_file_with_its_include_changed(ready: Mbl) -> None:
    """After that one line it is parsed, into five files, and provisions."""
    text = (GOLDEN / "update_2_6_2.c").read_text()
    (ready.world.home / FILE).write_text(text.replace("#include <inttypes.h>", "#include <stdint.h>"))

    assert ready("provision-pelion", "dev", "update", "-c", "-p", FILE).status == 0

    assert len(list((ready.team / "update").iterdir())) == 5
    assert ready.items()["mbed.UpdateAuthCert"]["sha256"] == digest(
        (GOLDEN / "update_2_6_2.der").read_bytes()
    )


def test_code_of_the_utility(ready: Mbl) -> None:
    """Without a class id the device refuses; its code is the client's, and the folder is gone."""
    assert ready("provision-pelion", "dev", "update", "-c", "-p", FILE).status == 0
    (ready.team / "update/arm_uc_class_id.bin").unlink()
    ready.connections()

    failed = ready("provision-pelion", "dev", "update")

    assert failed.status == 1
    assert failed.errors.endswith("Remote command returned a non-zero exit code.\n")
    assert "There was an error parsing the Update Credentials files" in failed.output + failed.errors
    assert ready.connections() == FOUR
    assert ready.device.call("file_mode", path=FOLDER) is None


def test_status_of_a_blank_device(mbl: Mbl) -> None:
    """The client drops the device's own reason."""
    failed = mbl("get-pelion-status")

    assert (failed.status, failed.output) == (255, "")
    assert failed.errors == (
        "Your device is not correctly configured for Pelion Device Management."
        " You must provision your device using the provision-pelion command.\n"
    )


@pytest.mark.parametrize("mode", ["key", "password"])
def test_device_that_does_not_let_in_everybody(mbl: Mbl, mode: str) -> None:
    """With the key of the user's configuration it does; a password is never asked for."""
    mbl.device.call("configure", ssh_auth=mode)
    try:
        access = mbl.device.call("ssh")
        ssh = mbl.world.home / ".ssh"
        ssh.mkdir(mode=0o700)
        key = ssh / "key"
        key.touch(mode=0o600)
        mbl.world.transcript.secret(access["private_key_pem"], "SSH key")
        key.write_text(access["private_key_pem"])
        (ssh / "config").write_text(f"Host mbl-device\n  IdentityFile {key}\n  IdentityAgent none\n")
        said = mbl("shell", "echo let in")
    finally:
        mbl.device.call("configure", ssh_auth="none")

    assert (said.status, said.output) == ((0, "let in\n") if mode == "key" else (255, ""))


def test_device_that_refuses(mbl: Mbl) -> None:
    """Where nobody listens there is one attempt, and one sentence."""
    mbl.device.call("set_ssh", mode="refusing")

    failed = mbl("get-pelion-status")

    assert failed.status == 255
    assert failed.errors


def test_selecting(mbl: Mbl, world: World) -> None:
    """Of what avahi-browse finds, only devices with the one TXT string are listed, by address."""
    lines = [
        "+;lo;IPv4;mbed-linux-os-7;_ssh._tcp;local",
        f'=;lo;IPv4;mbed-linux-os-7;_ssh._tcp;local;mbed-linux-os-7.local;127.0.0.1;{mbl.port};"mblos"',
        f'=;en0;IPv6;mbed-linux-os-7;_ssh._tcp;local;mbed-linux-os-7.local;fe80::1;{mbl.port};"mblos"',
        '=;en0;IPv6;mbed-linux-os-12;_ssh._tcp;local;mbed-linux-os-12.local;fe80::2;22;"mblos"',
        '=;en0;IPv4;printer;_ssh._tcp;local;printer.local;127.0.0.3;22;"mblos" "color"',
    ]
    browse = world.home / "bin/avahi-browse"
    browse.write_text("#!/bin/sh\n" + "".join(f"echo {shlex.quote(line)}\n" for line in lines))
    browse.chmod(0o755)

    listed = mbl("list", address="")
    assert listed.output.splitlines()[1:] == [
        "1: mbed-linux-os-7: 127.0.0.1",
        "2: mbed-linux-os-12: fe80::2%en0",
    ]
    wrong = mbl("select", address="", stdin="3\n")
    assert (wrong.status, wrong.errors) == (255, "Enter a valid device index as shown in the list.\n")
    assert mbl("select", address="", stdin="1\n").status == 0
    assert json.loads((world.home / ".mbl-dev.json").read_text()) == {
        "hostname": "mbed-linux-os-7",
        "address": "127.0.0.1",
        "username": "root",
        "password": "",
    }
    assert mbl("which", address="").output == "None (127.0.0.1)\n"
    assert mbl("shell", "echo here", address="").output == "here\n"


def test_address_that_is_none(mbl: Mbl) -> None:
    """Only literals are taken."""
    failed = mbl("which", address="mbed-linux-os-7.local")

    assert (failed.status, failed.errors) == (255, "Invalid address given.\n")


def test_stores(ready: Mbl, world: World) -> None:
    """Modes as the client gives them; a file of stores that is no JSON is overwritten without a word."""
    home = world.home
    assert ready("list-certificates").status == 0
    assert oct((home / ".mbl-store/user").stat().st_mode)[-3:] == "700"
    assert oct((home / ".mbl-store/team").stat().st_mode)[-3:] == "750"
    (home / ".mbl-stores.json").write_text('{"user": elsewhere/user, "team": elsewhere/team}')

    assert ready("list-certificates").status == 0

    assert json.loads((home / ".mbl-stores.json").read_text()) == {
        "user": str(home / ".mbl-store/user"),
        "team": str(home / ".mbl-store/team"),
    }


def test_team_store_that_is_gone(ready: Mbl) -> None:
    """It is made again, empty: the certificate is looked for in the cloud."""
    assert ready("provision-pelion", "dev", "update", "-c", "-p", FILE).status == 0
    shutil.rmtree(ready.team)

    failed = ready("provision-pelion", "dev", "update")

    assert (failed.status, failed.errors) == (255, "Certificate 'update' not found in the store.\n")
    assert (ready.team / "dev").is_dir()


@pytest.mark.parametrize("words", [(), ("provision-pelion", "dev"), ("fly",)])
def test_bad_arguments(mbl: Mbl, words: tuple[str, ...]) -> None:
    """Those end with 2, and nothing is touched."""
    failed = mbl(*words)

    assert failed.status == 2
    assert "error: " in failed.errors
    assert not (mbl.world.home / ".mbl-stores.json").exists()


def test_files_go_both_ways(mbl: Mbl, world: World) -> None:
    """``put`` and ``get`` by the old SCP protocol, whole directories too."""
    there = world.home / "there"
    (there / "below").mkdir(parents=True)
    (there / "below/file").write_bytes(b"\x00\xff" * 1000)

    assert mbl("put", str(there), "/scratch", "-r").status == 0
    assert mbl("get", "/scratch/there/below/file", str(world.home / "back")).status == 0

    assert (world.home / "back").read_bytes() == b"\x00\xff" * 1000
