"""What the client orders from a fake, and that it ends with the test; lists of commands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.backends.contract import Backend, BackendSession
from harness.backends.launcher import start_fake
from harness.errors import BackendUnreachable, RequestRefused, UsageError
from harness_nordic import plugin
from harness_nordic.client import NrfCloudClient, connect, enrol
from harness_nordic.client_requests import Finished, ServerCertificate
from harness_nordic.enums import CommandStatus, CommandType, FaultKind, FaultPlace
from tests.nordic.paper_device import PaperDevice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness_nordic.client_objects import ClaimedDevice

SESSION = BackendSession(run_id="run", worker="main")


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """Run the fake that the plugin names, with one device enrolled."""
    (spec,) = plugin.harness_backends()
    with start_fake(spec, tmp_path_factory.mktemp("fake"), lifeline=None) as fake:
        enrol(fake.backend, PAPER.record())
        yield fake.backend


PAPER = PaperDevice(1)


@pytest.fixture
def client(backend: Backend) -> Iterator[NrfCloudClient]:
    """Connect."""
    client = connect(backend, SESSION)
    yield client
    client.undo()
    client.close()


@pytest.fixture
def device(client: NrfCloudClient) -> ClaimedDevice:
    """Claim the device."""
    return client.claim(PAPER.token())


def test_fault_and_its_end(client: NrfCloudClient, device: ClaimedDevice) -> None:
    """A fault is in force at once and until its block ends, also when the block fails."""
    with (
        pytest.raises(ZeroDivisionError),
        client.fault(device, on=FaultPlace.MANAGEMENT, kind=FaultKind.STATUS, status=418, times=5) as fault,
    ):
        with pytest.raises(RequestRefused) as refusal:
            device.refresh()
        assert refusal.value.status == 418
        assert (fault.struck, fault.left) == (1, 4)
        _ = 1 / 0

    device.refresh()
    assert (fault.struck, fault.left) == (0, 0)
    fault.remove()


def test_fault_without_an_answer(client: NrfCloudClient, device: ClaimedDevice) -> None:
    """A closed connection is an unreachable service; a call that is safe is made again."""
    with client.fault(device, on="management", kind="status") as fault:
        with pytest.raises(BackendUnreachable):
            device.block()
        assert fault.struck == 1
    with client.fault(device, on="management", kind="status"):
        assert device.refresh().status == "READY"


@pytest.mark.parametrize("how", ["undo", "forget"])
def test_faults_end_with_the_test(client: NrfCloudClient, device: ClaimedDevice, how: str) -> None:
    """Whether a test's claims are undone or kept: its faults end, also those of other teams that it made."""
    other = client.another_team()
    client.fault(device, on="fetch", kind="garbage", times=99)
    client.fault(None, on="management", kind="status", status=500, times=99)
    fault = other.fault(None, on="management", kind="status", status=500, times=99)

    getattr(client, how)()

    assert fault.left == 0
    assert [each.id for each in client.devices()] == ([] if how == "undo" else [device.id])
    if how == "forget":
        device.unclaim()


def test_faults_of_a_dead_worker(backend: Backend, client: NrfCloudClient) -> None:
    """The worker that gets a dead one's team does not get its faults."""
    client.fault(None, on="management", kind="status", status=500, times=99)

    heir = connect(backend, SESSION)

    assert heir.owner_id == client.owner_id
    assert heir.devices() == []
    heir.close()


@pytest.mark.parametrize(("on", "kind"), [("report", "too-many"), ("management", "duplicate")])
def test_fault_that_makes_no_sense(client: NrfCloudClient, on: str, kind: str) -> None:
    """The fake says which kinds make sense there."""
    with pytest.raises(RequestRefused, match="expected one of"):
        client.fault(None, on=on, kind=kind)


def test_words_that_are_none(client: NrfCloudClient) -> None:
    """A misspelt kind, place or way is an error at once."""
    for wrong in ({"on": "fetch", "kind": "magic"}, {"on": "there", "kind": "status"}):
        with pytest.raises(ValueError, match=r"magic|there"):
            client.fault(None, **wrong)  # type: ignore[arg-type] # all of them texts
    with pytest.raises(ValueError, match="keep"):
        client.after_error("keep")


def test_events(client: NrfCloudClient, device: ClaimedDevice) -> None:
    """A fault that struck is told with its kind and device."""
    with client.fault(device, on="management", kind="status", status=404) as fault:
        with pytest.raises(RequestRefused):
            device.refresh()

        (event,) = [event for event in client.service_events() if event.fault == fault.id]

    assert (event.what, event.kind, event.device) == ("fault", FaultKind.STATUS, device.id)


def test_commands(client: NrfCloudClient, device: ClaimedDevice) -> None:
    """More commands than a page holds are listed, deleted and discarded."""
    made = [device.add_command(ServerCertificate(5, "PEM"), str(number)) for number in range(15)]
    assert [(each.id, each.description, each.type) for each in device.commands()] == [
        (each.id, each.description, CommandType.SERVER_CERTIFICATE) for each in made
    ]

    made[0].delete()
    with pytest.raises(RequestRefused) as refusal:
        made[0].refresh()
    assert refusal.value.status == 404
    assert len(device.commands()) == 14

    device.reset()
    assert {each.status for each in device.commands()} == {CommandStatus.PENDING}
    device.discard()
    assert device.commands() == []
    assert device.refresh().status == "READY"


def test_real_service_is_not_asked(client: NrfCloudClient, device: ClaimedDevice) -> None:
    """Where the capabilities are missing nothing is sent: the paths of these calls are unknown there."""
    command = device.add_command(Finished())
    client.backend = replace(client.backend, capabilities=frozenset())

    for call in (device.commands, device.reset, device.discard, command.delete):
        with pytest.raises(UsageError, match="not known to have the capability command-"):
            call()

    assert command.refresh().status is CommandStatus.PENDING


def test_no_fake(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only a fake can do is refused by name where there is none."""
    monkeypatch.setenv("NRFCLOUD_API_KEY", "some-key-or-other")
    client = connect(replace(backend, control=None, mode="url"), SESSION)
    for call in (
        lambda: client.fault(None, on="fetch", kind="garbage"),
        lambda: client.after_error("drop"),
        client.service_events,
        lambda: client.secure_endpoint,
    ):
        with pytest.raises(UsageError, match="from a fake only"):
            call()
    client.undo()
    client.close()
