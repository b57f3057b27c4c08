"""``pelion-provisioning-util``: its texts, its order and its exit codes (pelion fact sheet, section 2)."""

from __future__ import annotations

import pytest

from tests.pelion.virtual.material import (
    DIRECTORY,
    ENDPOINT,
    FILE_OF,
    ITEMS,
    OTHER_ENDPOINT,
    ec_key,
    material,
    openssl,
    pkcs8,
)
from tests.pelion.virtual.util_bench import UtilBench

DONE = "Provisioning device.\nProvisioning process completed without error.\n"
CONFIGURED = "Querying device status... \nDevice is configured correctly. You can connect to Pelion Cloud!\n"
DEVELOPER_FAILED = "Developer Certificate Provisioning failed.\n"
UPDATE_FAILED = "Update Certificate Provisioning failed.\n"
USAGE = (
    "Usage:\n  pelion-provisioning-util [option]\n\n\nOptions:\n"
    "  --provision                    Provision device, with developer and update credentials, "
    "from a set of binary files located at /scratch/provisioning-certs.\n"
    "  --get-pelion-status            Get the Pelion status of the device.\n"
    "  --help                         Show this message and exit.\n    "
)


@pytest.fixture
def bench() -> UtilBench:
    """A blank device."""
    return UtilBench()


def refused(item: str, text: str, what: str = "store") -> str:
    """Return what is written of an item that the key store refuses."""
    return f"Failed to {what} KCM Item! Item name: {item}\nError status is: {text}\n"


@pytest.mark.parametrize(
    "arguments",
    [[], ["--nonsense"], ["--provision", "--provision"], ["--help", "--provision"], ["provision"], [""]],
)
def test_wrong_use(bench: UtilBench, arguments: list[str]) -> None:
    """More than one option, none, or an unknown one: usage, exit code 2, nothing done."""
    assert bench.run(*arguments) == (2, USAGE, "")
    assert bench.points.passed() == []


def test_help(bench: UtilBench) -> None:
    """Help is the usage, exit code 0."""
    assert bench.run("--help") == (0, USAGE, "")


def test_whole(bench: UtilBench) -> None:
    """With every file each item holds what its file held, and the device says that it is configured."""
    assert bench.run("--get-pelion-status") == (
        1,
        "Querying device status... \n",
        "Item does not exist:mbed.UseBootstrap\n",
    )

    assert bench.provision(material()) == (0, DONE, "")

    assert bench.held() == {"mbed.UseBootstrap": b"\x01\x00\x00\x00", **material().items}
    assert all(bench.kcm.is_factory(name) for name in bench.kcm.names())
    assert bench.run("--get-pelion-status") == (0, CONFIGURED, "")


def test_order(bench: UtilBench) -> None:
    """Items are stored in the order of section 2.1; ``mbed.UseBootstrap`` goes first and comes back last."""
    bench.provision(material())
    bench.points.clear()

    assert bench.provision(material(OTHER_ENDPOINT))[0] == 0

    passed = bench.points.passed()
    assert [name for point, name in passed if point == "before store"] == [*ITEMS, "mbed.UseBootstrap"]
    assert [name for point, name in passed if point == "before delete"] == ["mbed.UseBootstrap", *ITEMS]
    assert bench.held() == {"mbed.UseBootstrap": b"\x01\x00\x00\x00", **material(OTHER_ENDPOINT).items}


@pytest.mark.parametrize("item", ITEMS)
def test_missing_file(bench: UtilBench, item: str) -> None:
    """A file that is missing is named, so is its group, and nothing is stored."""
    whole = bench.provision(material())
    before = bench.held()
    group = "the Update Credentials" if FILE_OF[item].startswith("arm_uc") else "the dev credentials"

    status, output, errors = bench.provision(material(OTHER_ENDPOINT).without(item))

    assert whole[0] == 0
    assert (status, output) == (1, "Provisioning device.\n")
    assert errors == (
        f"File with path {DIRECTORY}/{FILE_OF[item]}could not be opened\n"
        f"There was an error parsing {group} files\n"
    )
    assert bench.held() == before
    assert bench.status() == (0, "")


def test_no_file_at_all(bench: UtilBench) -> None:
    """Every missing file is named, in the order of the items, and both groups."""
    errors = bench.run("--provision")[2].splitlines()

    lines = [f"File with path {DIRECTORY}/{FILE_OF[item]}could not be opened" for item in ITEMS]
    lines.insert(11, "There was an error parsing the dev credentials files")
    assert errors == [*lines, "There was an error parsing the Update Credentials files"]


@pytest.mark.parametrize(
    ("item", "data", "text"),
    [
        ("mbed.BootstrapDeviceCert", b"", "Item data empty:"),
        ("mbed.BootstrapDeviceCert", b"no certificate", "Certificate parse failed:"),
        ("mbed.BootstrapServerCACert", b"0\x03\x02\x01\x05", "Certificate parse failed:"),
        ("mbed.BootstrapDevicePrivateKey", b"", "Item data empty:"),
        ("mbed.BootstrapDevicePrivateKey", b"0\x03\x02\x01\x05", "Private key parse failed:"),
    ],
)
def test_developer_item_refused(bench: UtilBench, item: str, data: bytes, text: str) -> None:
    """A developer item that the key store refuses ends its group, the other one is stored nevertheless."""
    status, output, errors = bench.provision(material().with_items({item: data}))

    assert (status, output) == (1, "Provisioning device.\n")
    assert errors == refused(item, text) + DEVELOPER_FAILED
    position = ITEMS.index(item)
    assert set(bench.kcm.names()) == {*ITEMS[:position], *ITEMS[11:]}
    assert bench.status() == (1, "Item does not exist:mbed.UseBootstrap\n")


def test_update_item_refused(bench: UtilBench) -> None:
    """An update item that is refused: the developer items are stored, the device is not configured."""
    wrong = material().with_items({"mbed.UpdateAuthCert": b"\x00"})

    assert bench.provision(wrong) == (
        1,
        "Provisioning device.\n",
        refused("mbed.UpdateAuthCert", "Certificate parse failed:") + UPDATE_FAILED,
    )
    assert set(bench.kcm.names()) == set(ITEMS[:11])
    assert bench.status()[0] == 1


def test_both_refused(bench: UtilBench) -> None:
    """Both groups are attempted; only the developer's is said to have failed (source of section 2.1)."""
    wrong = {"mbed.BootstrapDeviceCert": b"x", "mbed.UpdateAuthCert": b"x"}

    assert bench.provision(material().with_items(wrong))[2] == (
        refused("mbed.BootstrapDeviceCert", "Certificate parse failed:")
        + refused("mbed.UpdateAuthCert", "Certificate parse failed:")
        + DEVELOPER_FAILED
    )


def test_full_and_read_only(bench: UtilBench) -> None:
    """A full disk refuses to store, a read-only one to delete; afterwards provisioning works again."""
    assert bench.provision(material())[0] == 0
    bench.filesystem.mounts["/"].left = 100

    status, _output, errors = bench.provision(material(OTHER_ENDPOINT))

    full = refused("mbed.BootstrapDeviceCert", "File operation general error:")
    assert (status, errors.startswith(full), errors.endswith(DEVELOPER_FAILED)) == (1, True, True)
    assert bench.status()[0] == 1
    bench.filesystem.end_faults()
    assert bench.provision(material(OTHER_ENDPOINT))[0] == 0
    bench.filesystem.mounts["/"].read_only = True
    before = bench.held()
    deletion = refused("mbed.UseBootstrap", "File operation general error:", "delete")
    assert bench.provision(material()) == (1, "Provisioning device.\n", deletion + DEVELOPER_FAILED)
    assert bench.held() == before
    assert bench.status() == (0, "")


def test_forms_of_keys(bench: UtilBench) -> None:
    """The key may be in its traditional form; one of another kind or curve is refused."""
    key = ec_key("fedcba9876543210fedcba9876543210")
    traditional = openssl("ec", "-outform", "DER", stdin=key)
    assert bench.provision(material().with_items({"mbed.BootstrapDevicePrivateKey": traditional}))[0] == 0
    assert bench.status() == (0, "")
    strange = {
        pkcs8(ec_key("large", "secp384r1")): "Curve unsupported:",
        openssl("genpkey", "-algorithm", "ed25519", "-outform", "DER"): "Private key parse failed:",
    }
    for data, text in strange.items():
        errors = bench.provision(material().with_items({"mbed.BootstrapDevicePrivateKey": data}))[2]
        assert errors == refused("mbed.BootstrapDevicePrivateKey", text) + DEVELOPER_FAILED


def test_another_name_forgets_enrolment(bench: UtilBench) -> None:
    """What bootstrapping gave stays under the same endpoint name, and is forgotten under another one."""
    got = {
        "mbed.BootstrappedEndpoint": ENDPOINT.encode(),
        "mbed.InternalEndpoint": b"device",
        "mbed.LwM2MServerURI": b"coaps://x?aid=y",
    }
    bench.provision(material())
    bench.kcm.commit(got)
    assert bench.provision(material())[0] == 0
    assert {name: bench.kcm.get(name) for name in got} == got
    assert bench.provision(material(OTHER_ENDPOINT))[0] == 0
    assert [bench.kcm.get(name) for name in got] == [None] * 3


def test_other_files_do_not_matter(bench: UtilBench) -> None:
    """Files that section 2.1 does not read may be there, and directories too."""
    bench.bring(material())
    for name in ("MBED_CLOUD_DEV_ACCOUNT_ID.bin", "arm_uc_default_psk.bin"):
        bench.filesystem.write(f"{DIRECTORY}/{name}", b"")
    bench.filesystem.make_directory(f"{DIRECTORY}/name")
    assert bench.run("--provision") == (0, DONE, "")
    assert set(bench.kcm.names()) == {"mbed.UseBootstrap", *ITEMS}


def test_directory_in_the_place_of_a_file(bench: UtilBench) -> None:
    """A directory is no file that could be read."""
    path = f"{DIRECTORY}/arm_uc_class_id.bin"
    bench.bring(material().without("mbed.ClassId"))
    bench.filesystem.make_directory(path)
    assert bench.run("--provision")[2].startswith(f"File with path {path}could not be opened\n")
