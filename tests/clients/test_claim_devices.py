"""gather_attestation_tokens and claim_devices: boards are asked, and then claimed by CSV (section 2.4)."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from tests.nordic.paper_device import PaperDevice

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_nordic.client import NrfCloudClient
    from tests.clients.world import ClientBoard, Exchange, World

TOKENS = "attestation_tokens.csv"
TAG = "bench"


def gather(world: World, board: ClientBoard) -> None:
    """Append a board's row to the file, as the tool does it."""
    ran = world.run("gather_attestation_tokens", "--port", board.port, "--plain")
    assert ran.status == 0, ran.output


def table(world: World) -> list[list[str]]:
    """Return the rows of the file."""
    with (world.directory / TOKENS).open(newline="") as file:
        return list(csv.reader(file))


def bulk(exchanges: list[Exchange]) -> Exchange:
    """Return the one request, and see that it is what the fact sheet says of it (section 2.4)."""
    (exchange,) = exchanges
    assert exchange.host == "api.provisioning.nrfcloud.com"
    assert exchange.call == "POST /v1/claimed-devices"
    assert "content-type" not in exchange.request.headers
    assert exchange.request.headers["contenttype"] == "text/csv"
    return exchange


def test_gather(world: World, board: ClientBoard) -> None:
    """A row of the file has IMEI, UUID, token and time; the token is one that was asked of this board."""
    gather(world, board)

    ((imei, uuid, token, _time),) = table(world)
    assert (imei, uuid) == (board.imei, board.uuid)
    assert [len(half) for half in token.split(".")] == [76, 103]  # section 4.1
    asked = {"at-host": "AT%ATTESTTOKEN", "at-shell": "at 'AT%ATTESTTOKEN'"}[board.discipline]
    assert board.typed().count(asked) == 1


def test_gather_twice(world: World, make_board: Callable[..., ClientBoard]) -> None:
    """A board that is asked again has one row still, with the new token."""
    board = make_board()
    gather(world, board)
    (before,) = table(world)
    gather(world, board)

    (after,) = table(world)
    assert after[:2] == before[:2]
    assert after[2] != before[2]


def test_board_without_the_service(world: World, make_board: Callable[..., ClientBoard]) -> None:
    """The tool refuses an nRF9160 by its model, before it asks for a token (section 1)."""
    board = make_board(kind="nrf9160dk-virtual")
    ran = world.run("gather_attestation_tokens", "--port", board.port, "--plain")

    assert ran.status == 1
    assert "Device is nRF9160, not supported" in ran.output
    assert not (world.directory / TOKENS).exists()
    assert "AT%ATTESTTOKEN" not in board.typed()


def test_by_serial_number(world: World, make_board: Callable[..., ClientBoard]) -> None:
    """Among several boards the number that pyserial reads of USB chooses; the first port is the console."""
    boards = [make_board(), make_board()]
    state = boards[1].controls.state()
    assert state.usb is not None
    ran = world.run(
        "gather_attestation_tokens", "--serial-number", str(int(state.usb["serial"] or "")), "--plain"
    )

    assert ran.status == 0, ran.output
    assert [row[1] for row in table(world)] == [boards[1].uuid]


def test_claim_one(world: World, board: ClientBoard, team: NrfCloudClient, api_key: str) -> None:
    """The row that was gathered claims its board: for the service it is the team's, with the tags."""
    gather(world, board)
    ran = world.run("claim_devices", "--api-key", api_key, "--provisioning-tags", f"{TAG},white", "--plain")

    assert ran.status == 0
    assert "Done. 1 of 1 devices claimed." in ran.output
    exchange = bulk(ran.exchanges)
    assert exchange.status == 200
    assert exchange.request.body.decode() == f'"{table(world)[0][2]}","{TAG},white"\n'
    device = team.device(board.uuid)
    assert (device.id, set(device.refresh().tags)) == (board.uuid, {TAG, "white"})


def test_claim_several(
    world: World, make_board: Callable[..., ClientBoard], team: NrfCloudClient, api_key: str
) -> None:
    """Each row claims its own board."""
    boards = [make_board(), make_board(kind="nrf9161dk-virtual"), make_board(kind="thingy91x-virtual")]
    for board in boards:
        gather(world, board)
    ran = world.run("claim_devices", "--api-key", api_key, "--plain")

    assert ran.status == 0
    assert "Done. 3 of 3 devices claimed." in ran.output
    assert bulk(ran.exchanges).answer.json["claimedIds"] == [board.uuid for board in boards]
    assert {device.id for device in team.devices()} == {board.uuid for board in boards}


def test_failing_rows(
    world: World, make_board: Callable[..., ClientBoard], team: NrfCloudClient, api_key: str
) -> None:
    """Rows that fail do not stop the others: the service says which they are, the tool counts the rest."""
    boards = [make_board(), make_board(), make_board()]
    for board in boards:
        gather(world, board)
    rows = table(world)
    team.claim(rows[1][2])  # somebody was quicker
    rows.insert(1, [*rows[0][:2], rows[0][2][:90], rows[0][3]])  # cut off in the middle
    with (world.directory / TOKENS).open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    ran = world.run("claim_devices", "--api-key", api_key, "--plain")

    assert ran.status == 0  # whatever happened (section 7.5)
    assert "Done. 2 of 4 devices claimed." in ran.output
    exchange = bulk(ran.exchanges)
    assert exchange.status == 200
    assert exchange.answer.json["claimedIds"] == [boards[0].uuid, boards[2].uuid]
    assert [failed["row"] for failed in exchange.answer.json["failed"]] == [2, 3]
    assert {device.id for device in team.devices()} == {board.uuid for board in boards}


def test_claim_again(world: World, make_board: Callable[..., ClientBoard], api_key: str) -> None:
    """A board that is claimed already is none of the claimed ones the second time."""
    gather(world, make_board())
    world.run("claim_devices", "--api-key", api_key, "--plain")
    ran = world.run("claim_devices", "--api-key", api_key, "--plain")

    assert ran.status == 0
    assert "Done. 0 of 1 devices claimed." in ran.output
    assert bulk(ran.exchanges).status == 200


@pytest.mark.parametrize("role", ["viewer"])
def test_key_that_may_not(
    world: World, make_board: Callable[..., ClientBoard], team: NrfCloudClient, role: str
) -> None:
    """A viewer's key claims nothing: the tool ends with 0 all the same, and says so in its output."""
    board = make_board()
    gather(world, board)
    key = str(team.colleague(role)._http._headers["Authorization"]).removeprefix("Bearer ")
    ran = world.run("claim_devices", "--api-key", key, "--plain")

    assert ran.status == 0
    assert "--> Error 403 on 0 rows" in ran.output
    assert "Done. 0 of 1 devices claimed." in ran.output
    assert team.devices() == []


def test_key_of_nobody(world: World, make_board: Callable[..., ClientBoard], team: NrfCloudClient) -> None:
    """A key that the service does not know is answered 401 (section 9)."""
    gather(world, make_board())
    ran = world.run("claim_devices", "--api-key", "0" * 40, "--plain")

    assert "--> Error 401 on 0 rows" in ran.output
    assert bulk(ran.exchanges).status == 401
    assert team.devices() == []


@pytest.mark.parametrize("stage", ["dev", "beta", "feature", "prod"])
def test_stages(
    world: World, make_board: Callable[..., ClientBoard], team: NrfCloudClient, api_key: str, stage: str
) -> None:
    """``--stage`` chooses another host; each leads to the fake (section 1)."""
    gather(world, make_board())
    ran = world.run("claim_devices", "--api-key", api_key, "--stage", stage, "--plain")

    part = "" if stage == "prod" else f"{stage}."
    assert [exchange.host for exchange in ran.exchanges] == [f"api.provisioning.{part}nrfcloud.com"]
    assert len(team.devices()) == 1


def test_more_rows_than_one_request_takes(world: World, team: NrfCloudClient, api_key: str) -> None:
    """The tool sends a thousand rows at a time, which is what the service takes: 1001 are two requests."""
    devices = [PaperDevice(number) for number in range(1001)]
    control = team._fake_control("the factory registry")
    for device in devices:
        control.request("POST", "/factory", operation="enrol", accept={201}, json=device.record())
    with (world.directory / TOKENS).open("w", newline="") as file:
        csv.writer(file).writerows([device.imei, device.id, device.token(), "now"] for device in devices)
    ran = world.run("claim_devices", "--api-key", api_key, "--plain", "--log-level", "warning")

    assert "Done. 1001 of 1001 devices claimed." in ran.output
    assert [len(exchange.answer.json["claimedIds"]) for exchange in ran.exchanges] == [1000, 1]
    assert {device.id for device in team.devices()} == {device.id for device in devices}
