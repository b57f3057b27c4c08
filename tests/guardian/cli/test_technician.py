"""``harness guardian``: a technician carries files between components and a service; all of it runs."""

from __future__ import annotations

import csv
import io
import re
import threading
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.cli_technician import Technician
from harness_guardian.enums import ApprovalType, Status
from tests.guardian.cli.conftest import request_id_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness_guardian.client import GuardianClient
    from tests.guardian.cli.conftest import Outcome


@pytest.mark.parametrize("board", ["desk", "gate"])
def test_the_whole_way(run: Callable[..., Outcome], package: Any, tmp_path: Path, board: str) -> None:
    """A component that reaches nobody is provisioned by files, over its console or by SSH."""
    component = package.definition.components[0]["name"]
    here = ("--board", board)
    ready = run(
        "init", "--package", "package.json", "--component", component, "--hw-id", f"SN {board}", *here
    )
    assert (ready.code, ready.err) == (0, "")
    made = run("request", "-o", "it.mcpr", *here)
    assert made.code == 0
    request_id = request_id_in(made.out)
    assert made.out == f"it.mcpr: request {request_id}; next: submit\n"

    submitted = run("submit", "it.mcpr")
    assert submitted.out == f"{request_id}: Verifying...; next: wait {request_id}\n"
    waited = run("wait", request_id, "--timeout", "30")
    assert (waited.code, waited.err) == (0, "")
    assert passed(waited.out) == ["Verifying...", "Auto-approved", "Provisioning", "Provisioned"]
    assert waited.out.endswith(f"next: download {request_id}\n")

    assert run("download", request_id, "-o", "it.mccp").code == 0
    installed = run("install", "it.mccp", *here)
    assert installed.out == f"{board}: provisioned, with a certificate in identity, signing, tls\n"
    shown = run("status", *here).out
    assert "state: provisioned\n" in shown
    assert f"hw_id: SN {board}\nrequest_id: {request_id}\n" in shown
    assert shown.count("certificate ") == 3

    again = run("submit", "it.mcpr")
    assert "(it was submitted before)" in again.out
    assert run("report", "--system", package.name, "-o", "it.csv").out == "it.csv: 1 device\n"
    (row,) = csv.DictReader(io.StringIO((tmp_path / "it.csv").read_text()))
    assert (row["Request ID"], row["Provisioning status"]) == (request_id, "Provisioned")


def passed(text: str) -> list[str]:
    """Return the states that ``wait`` named, one a line behind its time and before who brought it there."""
    lines = [line.split("  ") for line in text.splitlines()]
    return [re.sub(r" by \S+$", "", line[1]) for line in lines if line[1:]]


def make_request(run: Callable[..., Outcome], system: Any, hw_id: str = "S1") -> str:
    """Submit a request of the component on the console, and return its id."""
    component = system.definition.components[0]["name"]
    run("init", "--package", "package.json", "--component", component, "--hw-id", hw_id, "--board", "desk")
    made = run("request", "-o", "it.mcpr", "--board", "desk", "--force")
    assert run("submit", "it.mcpr").code == 0
    return request_id_in(made.out)


def test_waiting_says_who_is_waited_for(
    run: Callable[..., Outcome], guardian: GuardianClient, tmp_path: Path
) -> None:
    """While somebody has to approve or provision, that is said; each state that is passed is said once."""
    system = guardian.create_system(approval=ApprovalType.MANUAL)
    (tmp_path / "package.json").write_bytes(system.package())
    request_id = make_request(run, system)

    def admin() -> None:
        guardian.wait_for(request_id, Status.NEEDS_APPROVAL)
        guardian.approve(request_id)
        guardian.wait_for(request_id, Status.COMPLETE_PROVISIONING)
        guardian.provision(request_id)

    thread = threading.Thread(target=admin)
    thread.start()
    waited = run("wait", request_id, "--timeout", "30")
    thread.join(30)

    assert waited.code == 0
    assert passed(waited.out) == [
        "Verifying...",
        "Needs approval",
        "Approving...",
        "Complete provisioning",
        "Provisioning",
        "Provisioned",
    ]
    assert set(waited.err.splitlines()) <= {
        "harness: it waits for somebody to approve or reject it",
        "harness: it waits for somebody to provision it",
    }


def test_device_that_cannot_say_that_it_is_complete(
    run: Callable[..., Outcome], guardian: GuardianClient, tmp_path: Path
) -> None:
    """Where a system completes on installation an Admin says so; not before there is something to install."""
    system = guardian.create_system(complete_on_install=True)
    (tmp_path / "package.json").write_bytes(system.package())
    with guardian.hold(system.name, Status.VERIFYING):
        request_id = make_request(run, system)
        early = run("complete", request_id)
    assert (early.code, early.out) == (1, "")
    assert f"harness: {request_id}: ReportInstalled was answered 409" in early.err

    assert run("download", request_id, "-o", "it.mccp", "--timeout", "30").code == 0
    assert run("install", "it.mccp", "--board", "desk").code == 0
    assert guardian.request(request_id).status is Status.PROVISIONING
    done = run("complete", request_id)

    assert (done.code, done.out, done.err) == (0, f"{request_id}: Provisioned\n", "")
    assert guardian.request(request_id).status is Status.PROVISIONED


def test_admin_by_hand(run: Callable[..., Outcome], guardian: GuardianClient, tmp_path: Path) -> None:
    """Approving, provisioning and rejecting have commands; one that is refused does not stop the others."""
    system = guardian.create_system(approval=ApprovalType.MANUAL)
    (tmp_path / "package.json").write_bytes(system.package())
    request_id = make_request(run, system)
    guardian.wait_for(request_id, Status.NEEDS_APPROVAL)

    early = run("provision", request_id)
    assert (early.code, early.out) == (1, "")
    assert f"harness: {request_id}: ProvisionProvisioningRequest was answered 409" in early.err

    approved = run("approve", "no-such-request", request_id)
    assert approved.code == 1
    assert approved.out.startswith(f"{request_id}: Approving...")
    assert "no-such-request: ApproveProvisioningRequest was answered 404" in approved.err
    assert approved.err.endswith("harness: 1 of 2 requests: refused\n")
    guardian.wait_for(request_id, Status.COMPLETE_PROVISIONING)
    assert run("provision", request_id).code == 0
    assert guardian.wait_until_final(request_id).status is Status.PROVISIONED

    second = make_request(run, system, "S2")
    guardian.wait_for(second, Status.NEEDS_APPROVAL)
    assert run("reject", second).code == 0
    ended = run("wait", second, "--timeout", "30")
    assert (ended.code, passed(ended.out)[-1]) == (1, "Rejected by user")
    assert ended.err == f"harness: request {second} ended as 'Rejected by user'\n"


def test_waiting_ends_in_time(run: Callable[..., Outcome], guardian: GuardianClient, tmp_path: Path) -> None:
    """A request that nobody approves is not waited for longer than was said; there is no profile of it."""
    system = guardian.create_system(approval=ApprovalType.MANUAL)
    (tmp_path / "package.json").write_bytes(system.package())
    request_id = make_request(run, system)
    guardian.wait_for(request_id, Status.NEEDS_APPROVAL)

    for seconds in ("0", "0.3"):
        late = run("wait", request_id, "--timeout", seconds)
        assert late.code == 1
        assert passed(late.out) == ["Verifying...", "Needs approval"]
        assert late.err.endswith(
            f"harness: request {request_id} did not end within {seconds} s; it is 'Needs approval'\n"
        )
    none = run("download", request_id, "-o", "it.mccp")
    assert none.code == 1
    assert not (tmp_path / "it.mccp").exists()


def test_interrupted_wait(run: Callable[..., Outcome], package: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends the wait and closes the connections; the request goes on."""
    closed: list[bool] = []
    close = Technician.close

    def interrupt(*_arguments: object, **_named: object) -> None:
        raise KeyboardInterrupt

    def note(self: Technician) -> None:
        closed.append(True)
        close(self)

    monkeypatch.setattr(Technician, "request", interrupt)
    monkeypatch.setattr(Technician, "close", note)

    ended = run("wait", "any")

    assert (ended.code, ended.out, closed) == (1, "", [True])
