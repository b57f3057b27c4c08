"""The component itself: who it is, what it keeps, and all of its agent that needs no network.

Each change is one write of one generation of the secure storage, so that the board is either as it was or as
it is to be, whenever its power goes. Everything here happens on the bench's loop thread.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cryptography import x509

from harness_guardian.virtual import files, keys, power, records, request
from harness_guardian.virtual.errors import bad_parameter, failed, not_found
from harness_guardian.virtual.files import AgentFiles
from harness_guardian.virtual.package import Package, UnfitPackage, read_package
from harness_guardian.virtual.profile import ProfileRefused, accept
from harness_guardian.virtual.settings import BUILT_IN_SLOTS, IDENTITY_SLOT
from harness_guardian.virtual.storage import SecureStorage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.virtual.clock import BoardClock
    from harness.virtual.power_points import PowerPoints
    from harness_guardian.virtual.forging import Forging
    from harness_guardian.virtual.keys import PrivateKey
    from harness_guardian.virtual.records import Declared, Installed, Pending

BLANK, READY, REQUESTED, PROVISIONED = "blank", "ready", "requested", "provisioned"

_HARDWARE_ID = re.compile(r"[\x20-\x7e]{1,36}")  # guardian fact sheet, sections 1.1 and 10.3
_LONGEST_NAME = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a request is to be.

    :ivar reprovision: signed by the device's identity instead of by the package key.
    :ivar source: which Guardian it names; ``None``: none.
    :ivar form: ``jws`` or ``cose``; ``None``: whatever an open request has, else ``jws``.
    """

    reprovision: bool = False
    source: str | None = None
    form: str | None = None


class Component:
    """One component with its secure storage.

    :ivar storage: what it keeps without power.
    :ivar files: the agent's files in it.
    """

    def __init__(self, points: PowerPoints, clock: BoardClock, forging: Forging) -> None:
        """Be blank.

        :param points: passed with every write and every key.
        :param clock: the time on the board.
        :param forging: what is wrong in the next requests.
        """
        self._points = points
        self._clock = clock
        self._forging = forging
        self.storage = SecureStorage(points)
        self.files = AgentFiles(self.storage)

    # -- what it is ---------------------------------------------------------------------------------------

    @property
    def declared(self) -> Declared | None:
        """Who it was told to be."""
        return records.read_declared(self.storage.read(records.DECLARED))

    @property
    def pending(self) -> Pending | None:
        """Its open request."""
        return records.read_pending(self.storage.read(records.PENDING))

    @property
    def installed(self) -> Installed | None:
        """What it was provisioned with."""
        return records.read_installed(self.storage.read(records.INSTALLED))

    @property
    def latest_request_id(self) -> str | None:
        """Id of the request that it made last."""
        latest = records.read_latest(self.storage.read(records.LATEST))
        return None if latest is None else latest.request_id

    @property
    def service(self) -> str | None:
        """Where it believes the service to be."""
        content = self.storage.read(records.SERVICE)
        return None if content is None else content.decode()

    @property
    def state(self) -> str:
        """``blank``, ``ready``, ``requested`` or ``provisioned``."""
        if self.storage.read(records.PENDING) is not None:
            return REQUESTED
        if self.storage.read(records.INSTALLED) is not None:
            return PROVISIONED
        return BLANK if self.known_package() is None or self.declared is None else READY

    def known_package(self) -> Package | None:
        """Return its provisioning package, ``None`` when it has none that can be read."""
        content = self.files.find(files.PACKAGE)
        try:
            return None if content is None else read_package(content)
        except UnfitPackage:
            return None

    def package(self) -> Package:
        """Return its provisioning package.

        :raises AgentRefusal: it has none, or one that cannot be read.
        """
        content = self.files.find(files.PACKAGE)
        if content is None:
            raise not_found("there is no provisioning package")
        try:
            return read_package(content)
        except UnfitPackage as error:
            raise failed(str(error)) from error

    # -- what it is told ----------------------------------------------------------------------------------

    def initialize(self, component: str, hw_id: str, instance_id: str | None) -> None:
        """Be a component and a device; keys and certificates stay.

        :raises AgentRefusal: these cannot be.
        """
        if not component.isprintable() or not 1 <= len(component) <= _LONGEST_NAME:
            raise bad_parameter("the component's name is empty, too long or not printable")
        if not _HARDWARE_ID.fullmatch(hw_id):
            raise bad_parameter("the hardware id is not of 1 to 36 printable ASCII characters")
        if instance_id is not None and not 1 <= len(instance_id) <= _LONGEST_NAME:
            raise bad_parameter("the system instance is empty or too long")
        declared = records.Declared(component=component, hw_id=hw_id, instance_id=instance_id)
        self.storage.commit({records.DECLARED: records.write(declared)})

    def set_service(self, url: str | None) -> None:
        """Keep where the service is."""
        self.storage.commit({records.SERVICE: None if url is None else url.encode()})

    def erase(self) -> None:
        """Be blank again."""
        self.storage.commit(dict.fromkeys(self.storage.names()))

    # -- requests -----------------------------------------------------------------------------------------

    def check_ready(self, wishes: Wishes) -> Declared:
        """Refuse a request that cannot be made; return who makes it.

        :raises AgentRefusal: package, initialisation or identity is missing.
        """
        self.package()
        declared = self.declared
        if declared is None:
            raise failed("the component is not initialised")
        if wishes.reprovision and (self.installed is None or IDENTITY_SLOT not in self.installed.slots):
            raise failed("the component has no identity that could sign: it is not provisioned")
        return declared

    def fitting_request(self, wishes: Wishes) -> Pending | None:
        """Return the open request if it is still what is wanted: of this device, package and way."""
        pending, declared = self.pending, self.check_ready(wishes)
        if pending is None or self.files.find(files.REQUEST) is None:
            return None
        still = (
            pending.reprovision == wishes.reprovision
            and wishes.source in {None, pending.source}
            and wishes.form in {None, pending.form}
            and pending.package == self._package_digest()
            and (pending.component, pending.hw_id) == (declared.component, declared.hw_id)
            and pending.instance_id == (declared.instance_id or self.package().instance_id)
        )
        return pending if still else None

    def make_request(self, wishes: Wishes) -> Pending:
        """Make keys, signing requests and a request; they become the open one in one write.

        :raises AgentRefusal: it cannot be made.
        """
        declared, package, installed = self.check_ready(wishes), self.package(), self.installed
        identity = installed.slots[IDENTITY_SLOT] if installed is not None and wishes.reprovision else None
        signer = package.signer if identity is None else keys.from_pem(identity.key)
        instance_id = declared.instance_id or package.instance_id
        asked = request.Asked(
            system=package.system,
            instance_id=instance_id,
            instance_name=package.instance_name if instance_id == package.instance_id else None,
            component=declared.component,
            hw_id=declared.hw_id,
            source=wishes.source,
            chain=() if identity is None else tuple(base64.b64decode(each) for each in identity.chain),
            previous=None if identity is None or installed is None else installed.response_id,
        )
        fresh = self._fresh_keys(package.components.get(declared.component, BUILT_IN_SLOTS))
        form = wishes.form or request.JWS
        try:
            made = request.make(
                asked,
                signer=signer,
                fresh=fresh,
                form=form,
                now=self._clock.now(),
                forged=self._forging.take(),
                latest=records.read_latest(self.storage.read(records.LATEST)),
            )
        except request.NothingToRepeat as error:
            raise failed("there is no request before this one that it could repeat") from error
        files.check_size(made.content)
        pending = records.Pending(
            request_id=made.request_id,
            nonce=made.nonce,
            reprovision=wishes.reprovision,
            system=asked.system,
            instance_id=instance_id,
            component=asked.component,
            hw_id=asked.hw_id,
            source=wishes.source,
            form=form,
            package=self._package_digest(),
            keys={slot: keys.to_pem(key) for slot, key in fresh.items()},
        )
        latest = records.Latest(request_id=made.request_id, nonce=made.nonce)
        self.storage.commit(
            {
                records.PENDING: records.write(pending),
                records.LATEST: records.write(latest),
                files.record(files.REQUEST): made.content,
            }
        )
        return pending

    def _fresh_keys(self, slots: Mapping[str, str]) -> dict[str, PrivateKey]:
        fresh: dict[str, PrivateKey] = {}
        for slot, kind in slots.items():
            self._points.pass_by(power.BEFORE_KEY, slot)
            fresh[slot] = keys.make(kind)
            self._points.pass_by(power.AFTER_KEY, slot)
        return fresh

    def _package_digest(self) -> str:
        return hashlib.sha256(self.files.get(files.PACKAGE)).hexdigest()

    def discard_request(self) -> None:
        """Forget the open request and its keys: nothing comes of it any more."""
        if self.pending is not None:
            self.storage.commit({records.PENDING: None, files.record(files.REQUEST): None})

    # -- certificates -------------------------------------------------------------------------------------

    def install(self, content: bytes) -> None:
        """Check a certified profile and switch to it: keys, certificates and file in one write.

        :raises AgentRefusal: it is not accepted; nothing is changed.
        """
        pending, package = self.pending, self.package()
        if pending is None:
            raise failed("no request is open that a certified profile could answer")
        try:
            accepted = accept(content, pending, package, self._clock.now())
        except ProfileRefused as error:
            raise failed(f"the certified profile is not accepted: {error}") from error
        installed = records.Installed(
            request_id=pending.request_id,
            response_id=accepted.response_id,
            nonce=pending.nonce,
            system=pending.system,
            instance_id=accepted.instance_id,
            component=pending.component,
            component_instance_id=accepted.component_instance_id,
            hw_id=pending.hw_id,
            slots={
                slot: records.InstalledSlot(
                    key=pending.keys[slot], chain=tuple(base64.b64encode(each).decode() for each in chain)
                )
                for slot, chain in accepted.chains.items()
            },
        )
        self.storage.commit(
            {
                records.INSTALLED: records.write(installed),
                records.PENDING: None,
                files.record(files.PROFILE): content,
            },
            installing=True,
        )

    def completed(self) -> None:
        """Keep that the service knows what is installed."""
        installed = self.installed
        if installed is not None and not installed.completed:
            self.storage.commit({records.INSTALLED: records.write(replace(installed, completed=True))})

    def already_provisioned(self) -> bool:
        """Tell whether what it was provisioned with is still for who it is told to be."""
        installed, declared, package = self.installed, self.declared, self.known_package()
        if installed is None or declared is None or package is None:
            return False
        now = (package.system, declared.instance_id or package.instance_id)
        return now == (installed.system, installed.instance_id) and (
            (declared.component, declared.hw_id) == (installed.component, installed.hw_id)
        )

    def certificates(self) -> list[tuple[str, str, str]]:
        """Return slot, serial number (hex) and SHA-256 of each installed certificate."""
        installed = self.installed
        found = []
        for slot, entry in sorted(installed.slots.items()) if installed is not None else ():
            leaf = base64.b64decode(entry.chain[0])
            serial = f"{x509.load_der_x509_certificate(leaf).serial_number:x}"
            found.append((slot, serial, hashlib.sha256(leaf).hexdigest()))
        return found

    def prove(self, slot: str, challenge: bytes) -> bytes:
        """Sign with the installed key of a slot.

        :raises AgentRefusal: nothing is installed there.
        """
        installed = self.installed
        if installed is None or slot not in installed.slots:
            raise failed(f"nothing is installed in slot {files.printable(slot)}")
        return keys.prove(keys.from_pem(installed.slots[slot].key), challenge)
