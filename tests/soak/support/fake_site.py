"""A fake in this process, asked at its ASGI doors without any client, and all that it knows at a glance."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import cbor2

from harness_nordic.fake.app import NrfCloudFake
from harness_nordic.fake.clock import Clock
from tests.nordic.paper_device import NOW, PaperDevice

if TYPE_CHECKING:
    from tests.soak.support.fake_inputs import Input

ANSWER_DEADLINE = 10.0
DEVICES = "/v1/claimed-devices"


class FakeSite:
    """One team, one device that it has claimed with a batch in hand, and one that nobody has claimed."""

    def __init__(self) -> None:
        """Enrol both devices, claim the first."""
        self.fake = NrfCloudFake(Clock(lambda: NOW))
        self.service = self.fake.provisioning
        member = self.service.add_member()
        self.key, self.owner = member.api_key, member.owner_id
        self.mine, self.free = PaperDevice(1), PaperDevice(2)
        self.loop = asyncio.new_event_loop()
        for device in (self.mine, self.free):
            self.tell("control", "/factory", device.record(), 201)
        self.jwt = self.mine.jwt()
        self.tell("world", DEVICES, {"claimToken": self.mine.token()}, 201)

    def close(self) -> None:
        """Close the loop."""
        self.loop.close()

    def tell(self, door: str, path: str, body: Any, status: int) -> dict[str, Any]:
        """Post what is right; return the answer."""
        got, content = self.ask(door, "POST", path, key=self.key, body=json.dumps(body).encode())
        assert got == status, content
        answer: dict[str, Any] = json.loads(content or b"{}")
        return answer

    def batch_in_hand(self) -> list[str]:
        """Give the device new commands, let it fetch them, and return their correlation ids."""
        path = f"{DEVICES}/{self.mine.id}/provisioning"
        self.tell("world", f"{path}/discard", {}, 204)
        requests: tuple[dict[str, Any], ...] = (
            {"serverCertificate": {"secTag": 5, "content": "PEM"}},
            {"certificateSigningRequest": {"secTag": 5}},
            {"config": {"properties": {"a": "b"}}},
            {"finished": {}},
        )
        for request in requests:
            self.tell("world", path, {"request": request}, 201)
        status, body = self.ask(
            "world", "GET", "/v1/provisioning/commands", query="after=&limit=10", key=self.jwt
        )
        assert status == 200
        return [element[0] for element in cbor2.loads(body)]

    def send(self, made: Input, door: str = "world") -> tuple[int, bytes]:
        """Send an input."""
        return self.ask(
            door,
            made.method,
            made.path,
            query=made.query,
            key=made.key,
            body=made.body,
            content_type=made.content_type,
        )

    def ask(
        self,
        door: str,
        method: str,
        path: str,
        *,
        query: str = "",
        key: str = "",
        body: bytes = b"",
        content_type: str = "application/json",
    ) -> tuple[int, bytes]:
        """Ask one of the fake's doors; return status and body. An exception in the fake comes out here."""
        application = self.fake.service if door == "world" else self.fake.control
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [
                (b"authorization", f"Bearer {key}".encode()),
                (b"content-type", content_type.encode()),
            ],
            "server": ("127.0.0.1", 1),
            "client": ("127.0.0.1", 2),
        }
        return self.loop.run_until_complete(_exchange(application, scope, body))

    def snapshot(self) -> tuple[Any, ...]:
        """Return all that the service knows, but not its log, which tells of refusals too."""
        service = self.service
        claims = [
            (
                device.factory.id,
                device.number,
                device.owner_id,
                device.firmware_id,
                device.tag_ids,
                frozenset(device.rules),
                tuple(device.onboardings),
                device.blocked,
                device.queue.device_status,
                device.queue.after_error,
                device.queue.last_batch,
                tuple(repr(command) for command in device.queue.commands()),
                tuple(device.queue._served_and_gone),
            )
            for device in service._claims.values()
        ]
        return (
            claims,
            tuple(service._members),
            tuple(service._named),
            [
                (record.id, record.key_id, record.imei, record.device_type)
                for record in service._factory.values()
            ],
            [fault.to_json() for fault in service.faults.ordered()],
            dict(service._after_error_of),
            service.clock.shift,
            service._claims_made,
            {owner: [repr(tag) for tag in tags.all()] for owner, tags in service._tags.items() if tags.all()},
            {
                owner: [repr(rule) for rule in rules.all()]
                for owner, rules in service._rules.items()
                if rules.all()
            },
        )


async def _exchange(application: Any, scope: dict[str, Any], body: bytes) -> tuple[int, bytes]:
    status = 0
    content = b""
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            return {"type": "http.disconnect"}
        asked = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status, content
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            content += message.get("body", b"")

    async with asyncio.timeout(ANSWER_DEADLINE):
        await application(scope, receive, send)
    return status, content
