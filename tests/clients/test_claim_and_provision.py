"""claim_and_provision_device, from the claim to the end, in both its modes (sections 2.3, 7.3 and 7.5)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from tests.clients.material import digest, make_authority, openssl
from tests.clients.world import commands_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_nordic.client import NrfCloudClient
    from tests.clients.world import ClientBoard, Ran, RunningClient, World

SEC_TAG = 16842753
AWS_CA, BOTH_CAS = 1188, 1792
"""Characters of the certificates that the tool sends (section 1)."""
ONBOARDING = "nrf-cloud-onboarding"
PROVISION = "claim_and_provision_device"
CLAIMED = "/v1/claimed-devices"


def calls(ran: Ran) -> list[str]:
    """Return the calls of a client, with ids left out."""
    return [re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", exchange.call) for exchange in ran.exchanges]


def agent_runs_when_asked(
    team: NrfCloudClient, board: ClientBoard, client: RunningClient, command: str
) -> None:
    """Let the board's agent run as soon as a command of a type waits, as its timer would."""
    wait_until(
        lambda: commands_of(team, board.uuid).get(command) in {"PENDING", "SUCCEEDED"},
        f"a command {command}",
        client,
    )
    board.controls.call("provision")


def succeeded(team: NrfCloudClient, board: ClientBoard) -> dict[str, str]:
    """Return the types of a device's commands; every one has to have succeeded."""
    statuses = commands_of(team, board.uuid)
    assert set(statuses.values()) == {"SUCCEEDED"}, statuses
    return statuses


def provisioning(board: ClientBoard, api_key: str, tags: str) -> list[str]:
    """Return what is typed to claim a board with tags."""
    return [PROVISION, "--port", board.port, "--api-key", api_key, "--provisioning-tags", tags, "--plain"]


# With a tag ------------------------------------------------------------------------------------------------


def test_plain_tag(world: World, board: ClientBoard, team: NrfCloudClient, api_key: str) -> None:
    """A tag that starts nothing: dry run, claim, done; over the shell the board is rebooted after it."""
    ran = world.run(*provisioning(board, api_key, "bench"))

    assert ran.status == 0, ran.output
    assert f"Device UUID: {board.uuid}" in ran.output
    assert f"Device IMEI: {board.imei}" in ran.output
    assert calls(ran) == [f"POST {CLAIMED}?dryrun=true", f"POST {CLAIMED}"]
    assert [exchange.status for exchange in ran.exchanges] == [202, 201]
    device = team.device(board.uuid)
    assert (list(device.tags), device.status.value) == (["bench"], "READY")
    if board.discipline == "at-shell":  # typed last of all: the tool has ended when the board reads it
        wait_until(lambda: "kernel reboot warm" in board.typed(), "the order to reboot")
    rebooted = board.typed().count("kernel reboot warm")
    assert rebooted == (1 if board.discipline == "at-shell" else 0)


def test_tags_as_one(
    world: World, make_board: Callable[..., ClientBoard], team: NrfCloudClient, api_key: str
) -> None:
    """The tool sends a list of tags as one (section 2.2); the service shows what it was sent."""
    board = make_board()
    ran = world.run(*provisioning(board, api_key, "a,b"))

    assert ran.status == 0, ran.output
    assert ran.exchanges[-1].request.json["tags"] == ["a,b"]
    assert list(team.device(board.uuid).tags) == ["a,b"]


def test_onboarding_tag(
    world: World, make_board: Callable[..., ClientBoard], discipline: str, team: NrfCloudClient, api_key: str
) -> None:
    """The built-in tag: the tool makes tag and rule, and the rule provisions the board when it is online.

    A shell is rebooted by the tool, and then the firmware polls by itself; an AT host is left alone.
    """
    board = make_board(discipline, scheduled=discipline == "at-shell")
    ran = world.run(*provisioning(board, api_key, ONBOARDING))

    assert ran.status == 0, ran.output
    assert calls(ran) == [
        "GET /v1/provisioning-rules",
        "POST /v1/provisioning/tags",
        "POST /v1/provisioning-rules",
        f"POST {CLAIMED}?dryrun=true",
        f"POST {CLAIMED}",
    ]
    rule = ran.exchanges[2].request.json
    sent = rule["commands"][2]["request"]["serverCertificate"]["content"]
    assert len(sent) == BOTH_CAS
    if board.discipline == "at-host":  # nobody reboots it (section 7.5)
        assert commands_of(team, board.uuid) == {}
        board.controls.call("provision")
    wait_for_device(team, board)
    assert list(team.device(board.uuid).tags) == [ONBOARDING]
    assert set(succeeded(team, board)) == {
        "clientPrivateKeyGeneration",
        "cloudAccessKeyGeneration",
        "serverCertificate",
        "finished",
    }
    held = board.digests(SEC_TAG)
    assert held[0] in {digest(sent), digest(sent, "\r\n")}
    assert 2 in held


def wait_for_device(team: NrfCloudClient, board: ClientBoard) -> None:
    """Wait until the service says that a device is provisioned."""
    wait_until(lambda: team.device(board.uuid).status.value == "PROVISIONED", "PROVISIONED")


def test_onboarding_tag_again(
    world: World, make_board: Callable[..., ClientBoard], team: NrfCloudClient, api_key: str
) -> None:
    """The second board finds the rule; the tag that is there already does not matter (section 2.7)."""
    boards = [make_board(), make_board()]
    first, second = [world.run(*provisioning(board, api_key, ONBOARDING)) for board in boards]

    assert (first.status, second.status) == (0, 0)
    assert "POST /v1/provisioning-rules" in calls(first)
    assert "POST /v1/provisioning-rules" not in calls(second)
    for board in boards:
        board.controls.call("provision")
        wait_for_device(team, board)


def test_unclaim_first(
    world: World, make_board: Callable[..., ClientBoard], team: NrfCloudClient, api_key: str
) -> None:
    """``--unclaim`` gives the claim up before it is made anew; without, a claimed board is refused."""
    board = make_board()
    words = provisioning(board, api_key, "bench")
    assert world.run(*words).status == 0
    refused = world.run(*words)
    first_claim = team.device(board.uuid)._record.claimed_at
    again = world.run(*words, "--unclaim")

    assert refused.status == 1
    assert "Cannot claim device: " in refused.output
    assert calls(refused) == [f"POST {CLAIMED}?dryrun=true"]
    assert again.status == 0, again.output
    assert calls(again) == [f"DELETE {CLAIMED}/ID", f"POST {CLAIMED}?dryrun=true", f"POST {CLAIMED}"]
    assert team.device(board.uuid)._record.claimed_at > first_claim


def test_unclaim_of_nothing(
    world: World, make_board: Callable[..., ClientBoard], team: NrfCloudClient, api_key: str
) -> None:
    """``--unclaim`` of a board that nobody has claimed is no obstacle."""
    board = make_board()
    ran = world.run(*provisioning(board, api_key, "x"), "--unclaim")

    assert ran.status == 0, ran.output
    assert [exchange.status for exchange in ran.exchanges] == [404, 202, 201]
    assert "Device may not have been claimed before, continuing..." in ran.output


def test_board_of_another_team(
    world: World, make_board: Callable[..., ClientBoard], team: NrfCloudClient, api_key: str
) -> None:
    """What another team owns cannot be claimed, and the tool does not get it by ``--unclaim``."""
    board = make_board()
    other = team.another_team()
    token = re.search(r"token: (\S+)", world.run("nrfcredstore", board.port, "attoken").output)
    assert token is not None
    other.claim(token[1])
    ran = world.run(*provisioning(board, api_key, "x"), "--unclaim")

    assert ran.status == 1
    assert "Cannot claim device: " in ran.output
    assert [device.id for device in other.devices()] == [board.uuid]
    assert team.devices() == []


# With a certificate authority of one's own ------------------------------------------------------------------


@pytest.mark.parametrize("coap", [False, True], ids=["aws", "coap"])
def test_own_authority_over_at_host(
    world: World, make_board: Callable[..., ClientBoard], team: NrfCloudClient, api_key: str, *, coap: bool
) -> None:
    """The request is made on the board, signed on the host and stored on the board; then it is onboarded."""
    board = make_board()
    provision_with_authority(world, board, team, api_key, *(["--coap"] if coap else []))

    certificate = BOTH_CAS if coap else AWS_CA
    assert [entry["size"] for entry in entries(board, 0)] == [certificate]


def test_own_authority_over_the_shell(
    world: World, make_board: Callable[..., ClientBoard], team: NrfCloudClient, api_key: str
) -> None:
    """Told that there is a shell, the tool reboots the board and tells it to provision: nobody else need."""
    board = make_board("at-shell", scheduled=True)
    provision_with_authority(world, board, team, api_key, "--cmd-type", "at_shell")

    assert "kernel reboot warm" in board.typed()
    assert "nrf_provisioning now" in board.typed()


def entries(board: ClientBoard, kind: int) -> list[dict[str, object]]:
    """Return what a modem says of what it holds under the tag, of one type."""
    held = board.controls.call("credentials")
    return [entry for entry in held if entry["tag"] == SEC_TAG and entry["type"] == kind]


def provision_with_authority(
    world: World, board: ClientBoard, team: NrfCloudClient, api_key: str, *more: str
) -> None:
    """Run the tool in its CA mode, and see that both ends have what they must."""
    authority, key = make_authority(world.directory)
    client = world.start(
        PROVISION, "--port", board.port, "--api-key", api_key, "--ca", authority.name, "--ca-key", key.name,
        "--tags", "blue|loud", "--subtype", "bench", "--fwtypes", "APP|BOOT", "--plain", *more,
    )  # fmt: skip
    if board.discipline == "at-host":
        agent_runs_when_asked(team, board, client, "certificateSigningRequest")
        agent_runs_when_asked(team, board, client, "finished")
    ran = client.wait()

    assert ran.status == 0, ran.output
    polled = list(dict.fromkeys(calls(ran)))
    create = f"POST {CLAIMED}/ID/provisioning"
    assert polled == [
        f"POST {CLAIMED}?dryrun=true",
        f"POST {CLAIMED}",
        create,
        f"GET {CLAIMED}/ID/provisioning/ID",
        "POST /v1/devices",
    ]
    assert calls(ran).count(create) == 4
    assert set(succeeded(team, board)) == {
        "certificateSigningRequest",
        "clientCertificate",
        "serverCertificate",
        "finished",
    }
    assert team.device(board.uuid).status.value == "PROVISIONED"
    sent = next(
        exchange.request.json["request"]["clientCertificate"]["content"]
        for exchange in ran.exchanges
        if b"clientCertificate" in exchange.request.body
    )
    assert board.digests(SEC_TAG)[1] in {digest(sent), digest(sent, "\r\n")}
    assert 2 in board.digests(SEC_TAG)
    (world.directory / "device.pem").write_text(sent)
    openssl("verify", "-CAfile", authority.name, "device.pem", directory=world.directory)
    subject = x509.load_pem_x509_certificate(sent.encode()).subject
    assert subject.rfc4514_string() == f"CN={board.uuid}"
    assert ran.exchanges[-1].host == "api.nrfcloud.com"
    assert ran.exchanges[-1].status == 202
    onboarded = team.core.device(board.uuid)
    # The tool leaves its own --subtype out of the row.
    assert (onboarded.sub_type, set(onboarded.tags)) == ("", {"blue", "loud"})
    assert onboarded.firmware_types == ("APP", "BOOT")
