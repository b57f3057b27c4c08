"""Nearly right inputs to the fake: no crash, no hang, no 500, and what is refused changes nothing.

190,000 in all at scale 1 go to the fake's ASGI doors in this process, with all that the service knows
compared before and after; 10,000 more over a socket to a fake in a process of its own.
"""

from __future__ import annotations

import http.client
import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import cbor2
import pytest

from harness.backends.contract import BackendSession
from harness.backends.launcher import start_fake
from harness_nordic import plugin
from harness_nordic.client import connect, enrol
from tests.nordic.paper_device import PaperDevice
from tests.soak.support import fake_inputs
from tests.soak.support.fake_site import DEVICES, FakeSite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from tests.soak.support.fake_inputs import Input
    from tests.soak.support.rounds import Rounds

PAST_THE_PARSER = 0.2
REFUSALS = {400, 401, 403, 404, 409, 415, 422}


@pytest.fixture
def site() -> Iterator[FakeSite]:
    """Run a fake in this process."""
    site = FakeSite()
    yield site
    site.close()


def judge(
    rounds: Rounds, site: FakeSite, made: Input, before: tuple[Any, ...], status: int, *, past: bool
) -> None:
    """Judge an answer: it is one of those that may be, and a refusal has changed nothing."""
    assert status in REFUSALS | {200, 201, 202, 204}, (status, made)
    if status in REFUSALS:
        assert site.snapshot() == before, made
    rounds.count(f"{status}{' past the parser' if past else ''}")


def enough_came_past(rounds: Rounds) -> None:
    """Assert that the inputs were good enough to be worth it."""
    past = sum(number for outcome, number in rounds.outcomes.items() if outcome.endswith("past the parser"))
    assert past >= PAST_THE_PARSER * rounds.outcomes.total()


def test_reports(rounds: Rounds, site: FakeSite) -> None:
    """CBOR of devices: reports whose bytes or fields are wrong."""
    ids: list[str] = []
    for random in rounds.run(60_000):
        if not ids:
            ids = site.batch_in_hand()
        made = fake_inputs.report(random, site.mine, site.jwt, ids)
        before = site.snapshot()

        status, _body = site.send(made)

        judge(rounds, site, made, before, status, past=fake_inputs.comes_past(made, cbor2.loads))
        if status == 200:
            ids = []
            if len(site.service._claims[site.mine.id].queue.commands()) > 12:
                tidy(site)
    enough_came_past(rounds)


def tidy(site: FakeSite) -> None:
    """Begin anew with a clean record."""
    device = f"{DEVICES}/{site.mine.id}"
    assert site.ask("world", "DELETE", device, key=site.key)[0] == 204
    site.tell("world", DEVICES, {"claimToken": site.mine.token()}, 201)


def test_jwts_and_queries(rounds: Rounds, site: FakeSite) -> None:
    """Fetches whose JWT, well signed or not, or whose query is wrong; a fetch alone never ends a command."""
    site.batch_in_hand()
    for random in rounds.run(45_000):
        made = fake_inputs.fetch(random, site.mine, site.jwt)
        before = site.snapshot()

        status, _body = site.send(made)

        judge(rounds, site, made, before, status, past=fake_inputs.jwt_is_readable(made))
        if status == 204:
            site.batch_in_hand()  # a query of tiny buffers makes a command fail that can never fit
            tidy(site)
            site.batch_in_hand()
    enough_came_past(rounds)


def test_tokens(rounds: Rounds, site: FakeSite) -> None:
    """Claims and dry runs whose token is wrong; one that is right claims the device, and nothing else."""
    for random in rounds.run(45_000):
        made = fake_inputs.claim(random, site.free, site.key)
        before = site.snapshot()

        status, body = site.send(made)

        judge(rounds, site, made, before, status, past=made.meant)
        if status == 202:
            assert site.snapshot() == before, made
        if status == 201:
            assert json.loads(body)["id"] == site.free.id, made
            assert site.ask("world", "DELETE", f"{DEVICES}/{site.free.id}", key=site.key)[0] == 204
    enough_came_past(rounds)


def test_documents(rounds: Rounds, site: FakeSite) -> None:
    """JSON to the management API and to the control socket."""
    right = fake_inputs.documents(site.mine, site.owner)
    for random in rounds.run(40_000):
        door, made = fake_inputs.document(random, right, site.key)
        before = site.snapshot()

        status, _body = site.send(made, door)

        judge(rounds, site, made, before, status, past=fake_inputs.comes_past(made, json.loads))
        if status in {201, 204} and before != site.snapshot():
            site.close()
            site = FakeSite()  # something was accepted: begin anew
            right = fake_inputs.documents(site.mine, site.owner)
    site.close()
    enough_came_past(rounds)


# Over a socket ---------------------------------------------------------------------------------------------


class Wire:
    """A connection to a fake that runs in a process of its own."""

    def __init__(self, url: str) -> None:
        """Connect at the first request."""
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)

    def send(self, made: Input) -> tuple[int, bytes]:
        """Send an input; return status and body."""
        target = f"{made.path}?{made.query}" if made.query else made.path
        headers = {"Authorization": f"Bearer {made.key}", "Content-Type": made.content_type}
        try:
            self._connection.request(made.method, target, made.body, headers)
            with self._connection.getresponse() as response:
                return response.status, response.read()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close it."""
        self._connection.close()


def test_inputs_over_a_socket(rounds: Rounds, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The same over HTTP: the fake answers every one, and what it shows of itself is as it was."""
    (spec,) = plugin.harness_backends()
    mine, free = PaperDevice(1), PaperDevice(2)
    with ExitStack() as resources:
        fake = resources.enter_context(start_fake(spec, tmp_path_factory.mktemp("fake"), lifeline=None))
        client = connect(fake.backend, BackendSession(run_id="soak", worker="main"))
        resources.callback(client.close)
        wire = Wire(fake.backend.url)
        resources.callback(wire.close)
        for device in (mine, free):
            enrol(fake.backend, device.record())
        claimed = client.claim(mine.token())
        key = client._http._headers["Authorization"].removeprefix("Bearer ")
        jwt = mine.jwt(expires=4e9)
        right = [each for each in fake_inputs.documents(mine, client.owner_id) if each[0] == "world"]
        makers: list[Callable[[Random], Input]] = [
            lambda random: fake_inputs.report(random, mine, jwt, [f"{mine.id}.1"] * 5),
            lambda random: fake_inputs.fetch(random, mine, jwt),
            lambda random: fake_inputs.claim(random, free, key),
            lambda random: fake_inputs.document(random, right, key)[1],
        ]
        for random in rounds.run(10_000):
            made = random.choice(makers)(random)
            if not all("!" <= character <= "~" for character in made.query):
                rounds.count("no request line")
                continue
            status, _body = wire.send(made)
            assert status in REFUSALS | {200, 201, 202, 204}, (status, made)
            if status in REFUSALS:
                assert [each.id for each in client.devices()] == [mine.id], made
                assert (claimed.refresh().status, claimed.commands()) == ("READY", []), made
            elif status == 201:
                claimed.discard()
                if len(client.devices()) > 1:
                    client.unclaim(free.id)
            rounds.count(str(status))
        assert fake.running
        assert "Traceback" not in fake.log.read_text()
