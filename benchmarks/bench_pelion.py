"""A device of Pelion's from its files to the directory, beside what its parts cost; and 32 devices at once.

The parts are measured apart in the same rounds, against the same virtual device and the same fake: as many
SSH connections, each with a trivial command (paramiko alone), the same files by SCP (the library alone), and
the two TLS handshakes with client certificates (Python's ``ssl``). 32 devices at once are held against the
processor time that one device alone takes in all processes, spread over two processors.
``--check`` makes a missed target an error. Times count only on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import socket
import ssl
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import paramiko
import scp
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from harness.backends.contract import BackendSession
from harness.backends.launcher import start_fake
from harness.inventory.builtin import known_profiles, virtual_boards
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import load_plugins
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from harness_pelion.client import connect
from harness_pelion.enums import DeveloperVariable, DeviceState, Item
from harness_pelion.plugin import harness_backends
from harness_pelion.update_material import update_resources
from harness_pelion.virtual import coap
from harness_pelion.virtual.bootstrap import Bootstrap, query

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier

    from harness.backends.contract import Backend
    from harness.inventory.board import Board
    from harness_pelion.client import PelionClient
    from harness_pelion.resources import DeveloperCredentials

TARGET = 1.5
DEVICES = 32
CLIENTS = 4
PROCESSORS = 2
SECONDS = 120.0
KIND = "mbl-device-virtual"
SCRATCH = "/scratch"
CONTEXT = multiprocessing.get_context("spawn")
UPDATE = update_resources("update")


class Device:
    """A virtual device, with an account of its own."""

    def __init__(self, backend: Backend, description: Board) -> None:
        """Hold it until :meth:`close`."""
        self.board = LeasedBoard(description, load_plugins(), capture_directory=None)
        session = BackendSession(run_id="bench", worker=description.id)
        self.account: PelionClient = connect(backend, session)
        self.developer: DeveloperCredentials = self.account.create_developer_certificate(
            self.account.own_name("bench")
        ).credentials()

    def close(self) -> None:
        """Give everything back."""
        self.account.undo()
        self.account.close()
        self.board.close()

    def forget(self) -> None:
        """Let the next run begin where this one did."""
        self.board.virtual.call("forget")
        self.account.forget_devices()

    def run(self) -> None:
        """Provision, start the client, and see the device in the directory."""
        driver = self.board.driver
        assert driver.provision(self.developer, UPDATE).ok
        after = driver.restart_client()
        driver.wait_until_registered(SECONDS, after=after)
        self.account.wait_for_device(
            ca_id=self.developer.endpoint_name, state=DeviceState.REGISTERED, timeout=SECONDS
        )


# -- the parts ----------------------------------------------------------------------------------------------


def log_in(access: Mapping[str, Any]) -> paramiko.Transport:
    """Log in at a virtual device, as the library does it by itself."""
    link = socket.create_connection((access["host"], access["port"]), SECONDS)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport = paramiko.Transport(link)
    transport.start_client(timeout=SECONDS)
    transport.auth_none(access["user"])
    return transport


def run_true(access: Mapping[str, Any]) -> None:
    """Make a connection, and run a trivial command."""
    with closing(log_in(access)) as transport, transport.open_session() as channel:
        channel.exec_command("true")
        assert channel.recv_exit_status() == 0


def copy_files(transport: paramiko.Transport, device: Device) -> None:
    """Copy both sets of files, each in one transfer."""
    for each in (device.developer, UPDATE):
        with scp.SCPClient(transport, socket_timeout=SECONDS) as client:
            for name, content in each.bin_files.items():
                client.putfo(io.BytesIO(content), f"{SCRATCH}/{name}", size=len(content))


@dataclass(frozen=True)
class TlsPart:
    """A server and who shakes hands with it."""

    address: tuple[str, int]
    context: ssl.SSLContext

    def connect(self) -> ssl.SSLSocket:
        """Connect and shake hands."""
        return self.context.wrap_socket(socket.create_connection(self.address, SECONDS))


def tls_part(uri: str, certificate: bytes, key: bytes, authority: bytes, place: Path) -> TlsPart:
    """Prepare handshakes; everything is DER."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.load_verify_locations(cadata=authority)
    private = load_der_private_key(key, None).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = place / "pair.pem"
    file.touch(mode=0o600)
    file.write_bytes(ssl.DER_cert_to_PEM_cert(certificate).encode() + private)
    context.load_cert_chain(file)
    host, _, port = uri.removeprefix("coaps://").partition("?")[0].rpartition(":")
    return TlsPart((host, int(port)), context)


def bootstrap_once(part: TlsPart, developer: DeveloperCredentials) -> dict[str, bytes]:
    """Bootstrap, and return what a device gets: LwM2M's server shakes no other hands."""
    got: dict[str, bytes] = {}
    dialogue = Bootstrap(developer.endpoint_name, got.update)
    with part.connect() as link:
        asked = coap.Message(
            type=coap.Type.CON,
            code=coap.POST,
            id=1,
            options=(
                *coap.paths(coap.Option.URI_PATH, "/bs"),
                *(
                    (int(coap.Option.URI_QUERY), each.encode())
                    for each in query(developer.endpoint_name, developer.account_id, None)
                ),
            ),
        )
        link.sendall(coap.encode(asked))
        while not dialogue.ended:
            message = coap.decode(link.recv(1 << 16))
            if message.is_request:
                link.sendall(coap.encode(dialogue.answer(message)))
    assert dialogue.finished, dialogue.failure
    return got


class Parts:
    """What a run consists of, without the harness."""

    def __init__(self, device: Device, connections: int, place: Path) -> None:
        """Prepare the parts of a device's run.

        :param connections: how many SSH connections it makes.
        """
        self.connections = connections
        self._device = device
        self._access = device.board.virtual.call("ssh")
        given = {name.value: device.developer.files[name] for name in DeveloperVariable}
        bootstrap = tls_part(
            given[DeveloperVariable.SERVER_URI].decode(),
            given[DeveloperVariable.DEVICE_CERTIFICATE],
            given[DeveloperVariable.DEVICE_PRIVATE_KEY],
            given[DeveloperVariable.SERVER_ROOT_CA_CERTIFICATE],
            place,
        )
        got = bootstrap_once(bootstrap, device.developer)
        lwm2m = tls_part(
            got[Item.LWM2M_SERVER_URI].decode(),
            got[Item.LWM2M_DEVICE_CERT],
            got[Item.LWM2M_DEVICE_PRIVATE_KEY],
            got[Item.LWM2M_SERVER_CA_CERT],
            place,
        )
        self._servers = (bootstrap, lwm2m)

    def measure(self) -> dict[str, float]:
        """Return the seconds that each part takes now."""
        began = time.perf_counter()
        for _number in range(self.connections):
            run_true(self._access)
        connected = time.perf_counter()
        with closing(log_in(self._access)) as transport:
            ready = time.perf_counter()
            copy_files(transport, self._device)
            copied = time.perf_counter()
        greeting = time.perf_counter()
        for server in self._servers:
            server.connect().close()
        greeted = time.perf_counter()
        return {"SSH": connected - began, "SCP": copied - ready, "TLS": greeted - greeting}


# -- one, and many ------------------------------------------------------------------------------------------


def processor_seconds(pid: int) -> float:
    """Return what a process has spent."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))


@dataclass
class One:
    """One device alone.

    :ivar whole: seconds of each run.
    :ivar parts: seconds of each part of each round.
    :ivar spent: processor seconds of a run, by process.
    """

    connections: int = 0
    whole: list[float] = field(default_factory=list)
    parts: list[dict[str, float]] = field(default_factory=list)
    spent: dict[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """How often the sum of the parts a whole run takes."""
        sums = (sum(each.values()) for each in self.parts)
        return statistics.median(whole / parts for whole, parts in zip(self.whole, sums, strict=True))


def measure_one(device: Device, servers: Mapping[str, int], rounds: int, place: Path) -> One:
    """Run a device alone, and its parts in turn with it."""
    device.run()  # what is loaded at first use is loaded
    device.forget()
    device.board.virtual.call("connections", clear=True)
    device.run()
    one = One(connections=len(device.board.virtual.call("connections")))
    device.forget()
    parts = Parts(device, one.connections, place)
    spent = dict.fromkeys((*servers, "client"), 0.0)
    for _round in range(rounds):
        before = {name: processor_seconds(pid) for name, pid in servers.items()}
        ours, began = time.process_time(), time.perf_counter()
        device.run()
        one.whole.append(time.perf_counter() - began)
        spent["client"] += time.process_time() - ours
        for name, pid in servers.items():
            spent[name] += processor_seconds(pid) - before[name]
        one.parts.append(parts.measure())
        device.forget()
    one.spent = {name: seconds / rounds for name, seconds in spent.items()}
    return one


def be_client(backend: Backend, boards: list[Board], start: Barrier, rounds: int, out: Connection) -> None:
    """Run devices at once whenever all clients are ready; tell when the last was done, and the cost."""
    with ExitStack() as stack:
        devices = [Device(backend, each) for each in boards]
        for device in devices:
            stack.callback(device.close)
        workers = stack.enter_context(ThreadPoolExecutor(len(devices)))
        for _round in range(rounds):
            start.wait(SECONDS)
            spent = time.process_time()
            list(workers.map(Device.run, devices))
            out.send((time.perf_counter(), time.process_time() - spent))
            list(workers.map(Device.forget, devices))


@dataclass(frozen=True)
class Many:
    """A round of all devices at once: wall time, and processor seconds by process."""

    seconds: float
    spent: dict[str, float]


def measure_many(
    backend: Backend, boards: list[Board], servers: Mapping[str, int], rounds: int, stack: ExitStack
) -> list[Many]:
    """Run all devices at once, several times."""
    start = CONTEXT.Barrier(CLIENTS + 1)
    pipes = []
    for number in range(CLIENTS):
        here, there = CONTEXT.Pipe(duplex=False)
        arguments = (backend, boards[number::CLIENTS], start, rounds, there)
        client = CONTEXT.Process(target=be_client, args=arguments)
        client.start()
        stack.callback(client.join)
        there.close()
        pipes.append(here)
    found = []
    for _round in range(rounds):
        start.wait(SECONDS)
        began = time.perf_counter()
        before = {name: processor_seconds(pid) for name, pid in servers.items()}
        told = [pipe.recv() for pipe in pipes]
        spent = {name: processor_seconds(pid) - before[name] for name, pid in servers.items()}
        spent["client"] = sum(seconds for _end, seconds in told)
        found.append(Many(max(end for end, _seconds in told) - began, spent))
    return found


def measure(count: int, rounds: int) -> tuple[One, list[Many]]:
    """Measure one device, its parts, and many devices."""
    (spec,) = harness_backends()
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        backend = stack.enter_context(start_fake(spec, place, lifeline=None)).backend
        bench = stack.enter_context(start_bench(place / "b", [(KIND, None, {})] * count, deadline=SECONDS))
        with BenchClient(bench.socket) as controls:
            states = controls.boards()
        found = virtual_boards(known_profiles(load_plugins()), states, bench=str(bench.socket))
        boards = [each.granted(allow_destructive=False) for each in found]
        assert backend.pid is not None
        servers = {"devices": bench.pid, "fake": backend.pid}
        device = Device(backend, boards[0])
        try:
            one = measure_one(device, servers, rounds, place)
        finally:
            device.close()
        many = measure_many(backend, boards, servers, max(1, rounds // 3), stack) if count > 1 else []
    return one, many


def verdict(ratio: float) -> str:
    """Say whether a target is met."""
    return f"target \u2264 {TARGET:g}: {'met' if ratio <= TARGET else 'MISSED'}"


def spent(each: Mapping[str, float], devices: int = 1) -> str:
    """Say who spends the processor's time."""
    return ", ".join(f"{name} {seconds / devices * 1000:.0f} ms" for name, seconds in each.items())


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=DEVICES)
    parser.add_argument("--rounds", type=int, default=9, help="of one device; a third as many of all at once")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a target is missed")
    options = parser.parse_args()
    one, many = measure(options.devices, options.rounds)
    parts = {name: statistics.median(each[name] for each in one.parts) for name in one.parts[0]}
    print(f"one device, from its files to the directory, {one.connections} SSH connections; medians")
    print(
        f"whole {statistics.median(one.whole) * 1000:6.0f} ms   parts {sum(parts.values()) * 1000:6.0f} ms"
        f" ({spent(parts)})   ratio {one.ratio:.2f}   {verdict(one.ratio)}"
    )
    print(f"  processor time: {spent(one.spent)}")
    missed = one.ratio > TARGET
    if many:
        cost = sum(one.spent.values())
        bound = options.devices * cost / PROCESSORS
        wall = statistics.median(each.seconds for each in many)
        missed = missed or wall / bound > TARGET
        middle = sorted(many, key=lambda each: each.seconds)[len(many) // 2]
        print(
            f"{options.devices} devices at once: {wall:.2f} s   {options.devices} x {cost * 1000:.0f} ms of"
            f" processor time on {PROCESSORS} processors {bound:.2f} s   ratio {wall / bound:.2f}"
            f"   {verdict(wall / bound)}"
        )
        print(f"  processor time of a device: {spent(middle.spent, options.devices)}")
    return int(options.check and missed)


if __name__ == "__main__":
    sys.exit(main())
