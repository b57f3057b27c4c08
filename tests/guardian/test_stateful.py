"""Several users and devices do what they like with both state machines: the service keeps its promises.

A state machine of hypothesis drives the service behind the fake's doors, with a Vault on paper that signs at
once, beside a model that was written from the fact sheet.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from harness_guardian.enums import Action, ErrorCode, Status
from harness_guardian.fake.refusals import Refused
from harness_guardian.fake.vault_contract import Failure
from tests.guardian.fake.domain import CLOUD, Domain, adopt, component, passed
from tests.guardian.stateful_model import FINAL, MOST_DEVICES, Model, ModelDevice, ModelRequest

if TYPE_CHECKING:
    from harness_guardian.fake.records import ProvisioningRequest, User
    from tests.guardian.making import MadeRequest, PaperDevice

EXAMPLES = 15
STEPS = 30
DEADLINE = 10.0
TURNS = 12
"""Turns of the loop in which a request would go on that nothing keeps where it is."""

WARDS = ("Ward A", "Ward B")
SYSTEMS = st.sampled_from(["Manual", "Automatic"])
HW_IDS = st.sampled_from(["SN-1", "SN-2", "SN-3", "SN-4"])
PLACES = st.integers(0, 30)
ACTIONS = st.sampled_from(["approve", "approve", "provision", "provision", "reject"])
USERS = st.sampled_from(["anna", "bert", "anna", "bert", "rita", "liam"])
UPLOADERS = st.sampled_from([None, "anna", "liam"])
CHANGES = st.sampled_from(["", "", "", "ward", "hw_id"])
HELD = st.sampled_from(["verifying", "auto_approved", "approving", "rejecting", "provisioning"])
ADMINS = {"anna", "bert"}


class Guardian(RuleBasedStateMachine):
    """A service, and the model of what it must show."""

    def __init__(self) -> None:
        super().__init__()
        self.domain = Domain()
        pump = component(max_instances=MOST_DEVICES)
        self.systems = {kind: self.domain.system(kind, pump) for kind in ("Manual", "Automatic")}
        self.model = Model()
        self.rows: list[ProvisioningRequest] = []
        self.made: list[tuple[PaperDevice, MadeRequest]] = []
        self.uploaders: list[str | None] = []
        self.identities: list[tuple[PaperDevice, ModelDevice]] = []
        self.holds: dict[tuple[str, str], str] = {}
        self.ended: dict[int, tuple[Any, ...]] = {}

    def teardown(self) -> None:
        self.domain.close()

    # Devices -----------------------------------------------------------------------------------------

    @rule(
        system=SYSTEMS, hw_id=HW_IDS, ward=st.sampled_from(WARDS), who=st.sampled_from([None, "anna", "liam"])
    )
    def submit(self, system: str, hw_id: str, ward: str, who: str | None) -> None:
        device = self.domain.device(self.systems[system], hw_id=hw_id, instance={"name": ward})
        self._submit(device, device.request(), who, ModelRequest(len(self.rows), system, ward, hw_id))

    @precondition(lambda self: self.identities)
    @rule(
        place=PLACES,
        change=st.sampled_from(["", "", "", "ward", "hw_id"]),
        form=st.sampled_from(["jws", "cose"]),
    )
    def reprovision(self, place: int, change: str, form: str) -> None:
        device, signer = self.identities[place % len(self.identities)]
        asked = ModelRequest(len(self.rows), signer.system, signer.ward, signer.hw_id, signer=signer)
        if change == "ward":
            asked.ward = next(ward for ward in WARDS if ward != signer.ward)
        elif change == "hw_id":
            asked.hw_id = "SN-other"
        device.instance, device.hw_id = {"name": asked.ward}, asked.hw_id
        self._submit(device, device.request(form), None, asked)
        device.instance, device.hw_id = {"name": signer.ward}, signer.hw_id

    @precondition(lambda self: self.rows)
    @rule(place=PLACES)
    def submit_again(self, place: int) -> None:
        number = place % len(self.rows)
        _device, made = self.made[number]
        submission = self.domain.run(self.domain.service.submit(made.content, made.media_type, CLOUD, None))
        assert not submission.created
        assert submission.request is self.rows[number]

    @precondition(lambda self: self.rows)
    @rule(place=PLACES, what=st.sampled_from(["request_id", "nonce"]))
    def replay(self, place: int, what: str) -> None:
        device, made = self.made[place % len(self.rows)]
        older = self.model.requests[place % len(self.rows)]
        asked = ModelRequest(len(self.rows), older.system, older.ward, device.hw_id, replayed=True)
        again = self.domain.device(self.systems[older.system], hw_id=device.hw_id)
        self._submit(again, again.request(**{what: made.payload[what]}), None, asked)

    def _submit(self, device: PaperDevice, made: MadeRequest, who: str | None, asked: ModelRequest) -> None:
        uploader = None if who is None else self.domain.user(who)
        submission = self.domain.run(
            self.domain.service.submit(made.content, made.media_type, CLOUD, uploader)
        )
        assert submission.created
        self.rows.append(submission.request)
        self.made.append((device, made))
        self.uploaders.append(who)
        self.model.requests.append(asked)

    # Users -------------------------------------------------------------------------------------------

    @precondition(lambda self: self.rows)
    @rule(orders=st.lists(st.tuples(USERS, ACTIONS, PLACES), min_size=1, max_size=4))
    def order_at_once(self, orders: list[tuple[str, str, int]]) -> None:
        """Let users give orders in one moment: each counts, or is refused for what was before it."""
        expected, numbers = [], [place % len(self.rows) for _user, _action, place in orders]
        for (user, action, _place), number in zip(orders, numbers, strict=True):
            asked = self.model.requests[number]
            seen = user != "liam" or self.uploaders[number] == "liam"
            refused = (403 if seen else 404) if user not in ADMINS else self.model.may(action, asked)
            expected.append(refused)
            if not refused:
                self.model.order(action, asked, user)

        async def one(user: User, action: Action, row: ProvisioningRequest) -> int:
            try:
                found = self.domain.service.request_for(user, CLOUD, row.id)
                self.domain.service.act(user, CLOUD, found, action)
            except Refused as refused:
                return refused.status
            return 0

        async def every() -> list[int]:
            return await asyncio.gather(
                *(
                    one(self.domain.user(user), Action(action), self.rows[number])
                    for (user, action, _place), number in zip(orders, numbers, strict=True)
                )
            )

        assert self.domain.run(every()) == expected

    @precondition(lambda self: self.rows)
    @rule(user=st.sampled_from(sorted(ADMINS)), action=ACTIONS, places=st.lists(PLACES, max_size=6))
    def order_in_bulk(self, user: str, action: str, places: list[int]) -> None:
        numbers = list(dict.fromkeys(place % len(self.rows) for place in places))
        expected = []
        for number in numbers:
            refused = self.model.may(action, self.model.requests[number])
            expected.append(refused)
            if not refused:
                self.model.order(action, self.model.requests[number], user)
        wanted = [self.rows[number] for number in numbers]

        async def order() -> Any:
            return self.domain.service.bulk(self.domain.user(user), CLOUD, Action(action), wanted)

        results = self.domain.run(order())
        assert [0 if result.ok else result.problem.status for result in results] == expected
        moments = {row.history[-1].at for row, refused in zip(wanted, expected, strict=True) if not refused}
        assert len(moments) <= 1

    # The session -------------------------------------------------------------------------------------

    @rule(system=SYSTEMS, status=HELD)
    def hold_or_release(self, system: str, status: str) -> None:
        key = (system, status)

        async def change() -> None:
            if key in self.holds:
                self.domain.service.release_hold(self.holds.pop(key))
            else:
                hold = self.domain.service.hold("acme", self.systems[system].name, Status(status))
                self.holds[key] = hold.id

        self.domain.run(change())
        self.model.held ^= {key}

    @rule()
    def let_vault_fail_or_sign(self) -> None:
        code = ErrorCode.FAIL_SIGN_DEVICE_CERTIFICATES
        self.model.vault_fails = not self.model.vault_fails
        self.domain.vault.failure = Failure(code=code, detail="no") if self.model.vault_fails else None

    # What is true after every step -------------------------------------------------------------------

    @invariant()
    def requests_are_as_they_must_be(self) -> None:
        self.model.settle()
        self.domain.run(self._settle())
        asked = [about for call, about in self.domain.vault.asked if call == "issue"]
        for row, wanted in zip(self.rows, self.model.requests, strict=True):
            assert passed(row) == wanted.passed
            assert (row.error_code and row.error_code.value) == wanted.code
            assert (row.status, row.error_code) == (row.history[-1].status, row.history[-1].error_code)
            assert asked.count(row.id) == wanted.issued
            self._columns_say_what_history_says(row, wanted)
            self._final_is_final(row, wanted)
        self._new_identities()

    async def _settle(self) -> None:
        async with asyncio.timeout(DEADLINE):
            for row, wanted in zip(self.rows, self.model.requests, strict=True):
                while len(row.history) < len(wanted.passed):
                    await self.domain.service.wait_for_change(row, row.version, DEADLINE)
            for _turn in range(TURNS):
                await asyncio.sleep(0)

    def _columns_say_what_history_says(self, row: ProvisioningRequest, wanted: ModelRequest) -> None:
        entered = {entry.status.value: entry for entry in row.history}
        approved = entered.get("complete_provisioning") or entered.get("auto_approved")
        rejected = entered.get("rejected_by_user") or entered.get("rejected_by_system")
        done = entered.get("provisioned")
        for entry, at, by, actor in (
            (approved, row.approved_at, row.approved_by, wanted.by.get("approve", "System")),
            (rejected, row.rejected_at, row.rejected_by, wanted.by.get("reject", "System")),
            (done, row.provisioned_at, row.provisioned_by, wanted.by.get("provision", "System")),
        ):
            assert (at, by) == ((None, None) if entry is None else (entry.at, actor))
            assert entry is None or entry.by == actor
        assert (row.response_id is None) == (row.certified_profile is None) == (done is None)
        times = [entry.at for entry in row.history]
        assert times == sorted(times)

    def _final_is_final(self, row: ProvisioningRequest, wanted: ModelRequest) -> None:
        if wanted.status in FINAL:
            now = (row.version, row.status, row.error_code, row.response_id)
            assert self.ended.setdefault(row.number, now) == now
            assert self.domain.service.actions(self.domain.user(), CLOUD, row) == ()

    def _new_identities(self) -> None:
        """Let the devices that were provisioned have what they were issued."""
        known = [device for _paper, device in self.identities]
        for row, wanted, (paper, made) in zip(self.rows, self.model.requests, self.made, strict=True):
            if wanted.status == "provisioned" and wanted.signer is None and wanted.device not in known:
                assert wanted.device is not None
                adopt(paper, made, row)
                self.identities.append((paper, wanted.device))

    @invariant()
    def no_ward_has_more_than_its_devices(self) -> None:
        places = {
            (row.component_instance.id, row.system_name, row.system_instance_name)
            for row in self.rows
            if row.component_instance is not None and row.component_instance.state == "provisioned"
        }
        for system in self.systems.values():
            for ward in WARDS:
                assert sum(place[1:] == (system.name, ward) for place in places) <= MOST_DEVICES

    @invariant()
    def everybody_sees_what_is_theirs(self) -> None:
        own = [row for row, who in zip(self.rows, self.uploaders, strict=True) if who == "liam"]
        for who, seen in (("anna", self.rows), ("rita", self.rows), ("liam", own), ("lena", [])):
            assert self.domain.service.visible(self.domain.user(who)) == seen
            if who not in ADMINS:
                offered = [self.domain.service.actions(self.domain.user(who), CLOUD, row) for row in seen]
                assert not any(offered)


def test_users_and_devices_do_what_they_like() -> None:
    """Whatever they do and whoever is first, rows, histories and calls of Vault are as they must be."""
    run_state_machine_as_test(
        Guardian,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink],
        ),
    )
