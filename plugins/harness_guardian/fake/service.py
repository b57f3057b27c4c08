"""The service without its doors: who may do what, and what is remembered. One thread, one event loop.

Everything belongs to an organisation (:mod:`harness_guardian.fake.organisation`); what carries a request
from status to status is :mod:`harness_guardian.fake.flow`. Facts: guardian fact sheet, sections 2, 3, 9, 10.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from typing import TYPE_CHECKING, Any

from harness_guardian.enums import ApprovalType, Role
from harness_guardian.fake import bulk, machine, refusals, submitting, systems
from harness_guardian.fake.envelopes import decode_base64url
from harness_guardian.fake.flow import Flow
from harness_guardian.fake.issuing import issue as issue_by_vault
from harness_guardian.fake.measurements import rows_for_measurements
from harness_guardian.fake.organisations import Organisations
from harness_guardian.fake.revocations import Revocations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness_guardian.enums import Action, ProvisionSource
    from harness_guardian.fake.bulk import BulkResult
    from harness_guardian.fake.choices import Choices
    from harness_guardian.fake.clock import Clock
    from harness_guardian.fake.organisation import Organisation
    from harness_guardian.fake.records import ProvisioningRequest, SignerKey, System, SystemInstance, User
    from harness_guardian.fake.submitting import Submission
    from harness_guardian.fake.vault_contract import Issuer, VaultCalls


class GuardianService(Organisations):
    """Everything the fake knows and decides.

    A refusal is always :class:`~harness_guardian.fake.refusals.Refused`. What is asked of a thing that the
    asker may not see is refused as if it were not there: the doors ask :meth:`may_see` first.

    :ivar clock: the time of the fake; each organisation has its own, which follows it.
    :ivar choices: what the fake does where nobody knows what the real service does.
    :ivar vault: the link to Vault.
    :ivar flow: what carries requests on.
    :ivar revocations: what revokes certificates.
    """

    def __init__(
        self, clock: Clock, choices: Choices, vault_link: VaultCalls, issue: Issuer | None = None
    ) -> None:
        """Begin with no organisation.

        :param issue: issues certificates and profiles; by default what asks Vault.
        """
        super().__init__(clock, choices, Revocations(vault_link, choices))
        self.vault = vault_link
        self.flow = Flow(vault_link, issue or issue_by_vault, choices, self.revocations)
        self._systems: dict[str, System] = {}
        self._requests: dict[tuple[ProvisionSource, str], ProvisioningRequest] = {}
        self._received = 0

    async def close(self) -> None:
        """End everything that is under way."""
        await self.flow.close()
        await self.revocations.close()

    # What only the session may do ----------------------------------------------------------------------

    def fill_for_measurements(self, organisation: str, system: str, count: int) -> None:
        """Make rows for measurements of lists: finished and waiting ones, as real ones look but for this.

        No request was sent, nothing is signed, no device exists: their certified profile is missing, and who
        approves one of those that wait gets what a request without signature deserves.

        :raises Refused: 404 for an unknown organisation or system, 422 for a system without an instance.
        """
        wanted = self.organisation(organisation)
        if system not in wanted.systems:
            raise refusals.not_found(f"there is no system {system!r}")
        if not wanted.systems[system].instances:
            raise refusals.not_valid(f"system: expected one with an instance, got {system!r}")
        for row in rows_for_measurements(wanted, wanted.systems[system], self._received, count):
            self._remember(wanted, row)

    def system_of_anybody(self, name: str) -> System:
        """Return a system, whosever it is.

        :raises Refused: 404.
        """
        try:
            return self._systems[name]
        except KeyError:
            raise refusals.not_found(f"there is no system {name!r}") from None

    # Systems ---------------------------------------------------------------------------------------------

    async def create_system(self, user: User, definition: Mapping[str, Any]) -> System:
        """Make a system, and what it needs in Vault.

        :param definition: guardian fact sheet, section 10.1, without what Vault makes.
        :raises Refused: 403 for another role than Admin, 409 when anybody has a system of this name, 422 for
            a definition that cannot be, 503 when Vault does not help.
        """
        self._admin(user, "make a system")
        organisation = self.organisation(user.organisation)
        system = systems.new_system(organisation, definition)
        if system.name in self._systems:
            raise refusals.name_taken(f"there is a system {system.name!r} already")
        self._systems[system.name] = system  # nobody else takes the name while Vault is at work
        try:
            system.trust = await systems.set_up(self.vault, system)
        except BaseException:
            del self._systems[system.name]
            raise
        organisation.systems[system.name] = system
        organisation.note("system-created", system=system.name)
        return system

    def system(self, user: User, name: str) -> System:
        """Return a system of the user's organisation.

        :raises Refused: 404.
        """
        try:
            return self.organisation(user.organisation).systems[name]
        except KeyError:
            raise refusals.not_found(f"there is no system {name!r}") from None

    def systems(self, user: User) -> list[System]:
        """Return the systems of the user's organisation, by name."""
        known = self.organisation(user.organisation).systems
        return [known[name] for name in sorted(known)]

    async def change_system(self, user: User, name: str, changes: Mapping[str, Any]) -> System:
        """Change a system's definition; requests that are there keep what they began with.

        :param changes: the keys of the definition that change; ``name`` cannot.
        :raises Refused: see :meth:`create_system`; 404 for an unknown system.
        """
        self._admin(user, "change a system")
        system = self.system(user, name)
        await systems.change(self.vault, system, changes)
        return system

    async def delete_system(self, user: User, name: str) -> None:
        """Forget a system with its devices and requests, also such as wait for a user or a device.

        :raises Refused: 403 for another role than Admin, 404 for an unknown system, 409 while the service is
            at work on one of its requests.
        """
        self._admin(user, "delete a system")
        system = self.system(user, name)
        organisation = self.organisation(user.organisation)
        rows = organisation.rows.get(name, [])
        if any(self.flow.is_at_work_on(row) for row in rows):
            raise refusals.in_progress(f"a request of the system {name!r} is in progress")
        organisation.forget_system(system)
        del self._systems[name]
        self.revocations.forget_system(organisation, system)
        for row in rows:
            del self._requests[row.key]
            row.touch()
        organisation.note("system-deleted", system=name)
        await systems.tear_down(self.vault, organisation, system)

    def add_instance(self, user: User, name: str, instance: Mapping[str, Any]) -> SystemInstance:
        """Add an instance to a system.

        :param instance: ``name`` and, if it shall have a certain one, ``id``.
        :raises Refused: 403, 404, 409 when name or id is taken, 422.
        """
        self._admin(user, "add an instance")
        return systems.add_instance(self.system(user, name), instance)

    def put_signer_key(self, user: User, name: str, key: Mapping[str, Any]) -> tuple[SignerKey, bool]:
        """Register the public key of a provisioning package, or change the state of a registered one.

        :param key: ``kid``, ``jwk`` and ``state``; of a registered one ``jwk`` may be missing.
        :return: the key, and whether it was made now.
        :raises Refused: 403, 404, 422.
        """
        self._admin(user, "register a signer key")
        return systems.put_signer_key(self.system(user, name), key)

    # Provisioning requests -------------------------------------------------------------------------------

    async def submit(
        self, body: bytes, media_type: str, door: ProvisionSource, uploader: User | None
    ) -> Submission:
        """Take a provisioning request in; it is verified from now on.

        :param media_type: of the body; of a file that says nothing ``application/octet-stream``.
        :param uploader: ``None``: a device brings its own.
        :return: its row, and whether that is new: the same bytes come to the same row.
        :raises Refused: 400 when not even the payload can be read, 403 for a Reporter, 404 when a device
            names a system that nobody has, 413, 415.
        """
        if uploader is not None and uploader.role is Role.REPORTER:
            raise refusals.role_too_low("a Reporter uploads no provisioning requests")
        arrival = submitting.read(body, media_type)
        if uploader is not None:
            organisation = self.organisation(uploader.organisation)
        else:
            owner = self._systems.get(arrival.identity.system)
            if owner is None:
                raise refusals.unknown_system(arrival.identity.system)
            organisation = self.organisation(owner.organisation)
        known = organisation.doors[door].by_digest.get(arrival.digest)
        if known is not None:
            return submitting.Submission(request=known, created=False)
        taken = (door, arrival.identity.request_id) in self._requests
        row = submitting.new_row(
            organisation, arrival, door=door, number=self._received, uploader=uploader, id_taken=taken
        )
        self._remember(organisation, row)
        organisation.note("submitted", request_id=row.id, door=door.value, by=row.uploaded_by)
        self.flow.begin(organisation, row)
        return submitting.Submission(request=row, created=True)

    def _remember(self, organisation: Organisation, row: ProvisioningRequest) -> None:
        self._received += 1
        self._requests[row.key] = row
        organisation.rows.setdefault(row.system_name, []).append(row)

    def request(self, door: ProvisionSource, identifier: str) -> ProvisioningRequest:
        """Return the request of an id at a door, whoever's it is.

        :raises Refused: 404.
        """
        try:
            return self._requests[door, identifier]
        except KeyError:
            raise refusals.not_found(f"there is no provisioning request {identifier!r}") from None

    def request_for(self, viewer: User, door: ProvisionSource, identifier: str) -> ProvisioningRequest:
        """Return the request of an id that a user may see: the one of the door, else the other door's.

        :raises Refused: 404, also when there is one that the user may not see.
        """
        for source in (door, *(each for each in type(door) if each is not door)):
            row = self._requests.get((source, identifier))
            if row is not None and self.may_see(viewer, row):
                return row
        raise refusals.not_found(f"there is no provisioning request {identifier!r}")

    def may_see(self, viewer: User, request: ProvisioningRequest) -> bool:
        """Tell whether a user may see a request: a Limited user what they uploaded themselves."""
        if viewer.organisation != request.organisation:
            return False
        return viewer.role is not Role.LIMITED or request.uploaded_by == viewer.name

    def is_device_of(self, request: ProvisioningRequest, nonce: str) -> bool:
        """Tell whether somebody knows the nonce of a request: so its device reads it.

        :param nonce: base64url.
        """
        try:
            given = decode_base64url(nonce)
        except ValueError:
            return False
        return bool(request.nonce) and hmac.compare_digest(given, request.nonce or b"")

    def visible(self, user: User, system: str | None = None) -> list[ProvisioningRequest]:
        """Return the requests of both doors that a user may see, oldest first.

        :param system: of a system of this name only.
        """
        organisation = self.organisation(user.organisation)
        if system is not None:
            rows = list(organisation.rows.get(system, []))
        else:
            rows = sorted(organisation.requests(), key=lambda row: row.number)
        if user.role is not Role.LIMITED:
            return rows
        return [row for row in rows if row.uploaded_by == user.name]

    def actions(self, user: User, door: ProvisionSource, request: ProvisioningRequest) -> tuple[Action, ...]:
        """Return what a user may do with a request now, at this door."""
        if user.role is not Role.ADMIN or request.door is not door:
            return ()
        if request.approval_type is not ApprovalType.MANUAL:
            return ()
        return machine.ACTIONS.get(request.status, ())

    def act(self, user: User, door: ProvisionSource, request: ProvisioningRequest, action: Action) -> None:
        """Approve, reject or provision.

        :raises Refused: 403 for another role than Admin, 404 for another organisation's, 409 in another state
            or at the other door, 422 in an Automatic system.
        """
        self._admin(user, f"{action.value} a provisioning request")
        bulk.check(user, door, request, action)
        self.flow.order(self.organisation(user.organisation), [request], action, user)

    def bulk(
        self,
        user: User,
        door: ProvisionSource,
        action: Action,
        requests: Sequence[ProvisioningRequest],
    ) -> list[BulkResult]:
        """Approve, reject or provision several: those that can be, in one second; the others say why not.

        :raises Refused: 403 for another role than Admin.
        """
        self._admin(user, f"{action.value} a provisioning request")
        organisation = self.organisation(user.organisation)
        return bulk.act(self.flow, organisation, user, door, action, requests)

    def bulk_by_ids(
        self, user: User, door: ProvisionSource, action: Action, ids: Sequence[str]
    ) -> list[BulkResult]:
        """Do :meth:`bulk` for requests by their ids; one that is not there says so.

        :raises Refused: 403, 422 for more ids than :attr:`Choices.most_at_once`.
        """
        self._admin(user, f"{action.value} a provisioning request")
        most = self.choices.most_at_once
        if len(ids) > most:
            raise refusals.not_valid(f"ids: expected at most {most}, got {len(ids)}")
        found = [self._visible_at(user, door, identifier) or identifier for identifier in ids]
        return bulk.act(self.flow, self.organisation(user.organisation), user, door, action, found)

    def _visible_at(self, user: User, door: ProvisionSource, identifier: str) -> ProvisioningRequest | None:
        """Return what :meth:`request_for` does; ``None`` instead of a refusal."""
        try:
            return self.request_for(user, door, identifier)
        except refusals.Refused:
            return None

    def certified_profile(self, request: ProvisioningRequest) -> str | None:
        """Return the certified profile of a request, which counts as fetched then.

        :return: JWS compact; ``None`` while it is still to come.
        :raises Refused: 409 with the error code when the request failed, or was rejected.
        """
        if request.certified_profile is not None:
            self.revocations.fetched(self.organisation(request.organisation), request)
            return request.certified_profile
        if request.is_final:
            raise refusals.failed(request.status_text, request.error_code)
        return None

    def installed(self, request: ProvisioningRequest) -> None:
        """Take note that the device has installed its certified profile.

        That completes a request of a system with ``complete_on_install``; again it changes nothing.

        :raises Refused: 409 when there is no certified profile yet, or never will be.
        """
        if request.certified_profile is None:
            raise refusals.wrong_state("there is no certified profile that could have been installed")
        organisation = self.organisation(request.organisation)
        organisation.note("installed", request_id=request.id)
        if not request.is_final:
            self.flow.complete(organisation, request)

    async def wait_for_change(self, request: ProvisioningRequest, version: int, seconds: float) -> bool:
        """Wait until a request is no longer of a version.

        :param version: the one that is known.
        :param seconds: how long at most.
        :return: whether it is another one now.
        """
        if request.version == version and seconds > 0:
            if request.changed is None:
                request.changed = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await request.changed.wait()
        return request.version != version

    async def wait_until_final(self, request: ProvisioningRequest, seconds: float) -> bool:
        """Wait until a request is final, or its certified profile is there.

        :param seconds: how long at most.
        :return: whether it is.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                # Without any seconds nothing is waited for, and the loop would never come to its time-out.
                while seconds > 0 and not (request.is_final or request.certified_profile is not None):
                    await self.wait_for_change(request, request.version, seconds)
        return request.is_final or request.certified_profile is not None

    @staticmethod
    def _admin(user: User, what: str) -> None:
        if user.role is not Role.ADMIN:
            raise refusals.role_too_low(f"only an Admin may {what}")
