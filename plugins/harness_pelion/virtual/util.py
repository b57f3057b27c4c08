"""``pelion-provisioning-util``: puts credentials into the key store, and says whether the device is set up.

Texts, order and exit codes are those of pelion fact sheet, section 2; which stream the usage goes to, and
that both groups of files are read before either is judged, is in the source that it names.

One thing differs. [design] Section 2.1 lists the items in the order in which they are stored, each deleted
first; whether a power cut between them can leave old and new items that pass every check together is not
known of the real utility. This one drops ``mbed.UseBootstrap``, without which no device is configured, before
it touches anything else, and stores it as the last item, when both groups are complete: a device that was cut
off never says that it is configured with some items of one set of credentials and some of another. What
bootstrapping gave the device is forgotten when it gets another endpoint name. [design]
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness_pelion.enums import DeveloperVariable, Item, UpdateVariable
from harness_pelion.virtual.fcc import NotConfigured, verify
from harness_pelion.virtual.filesystem import SCRATCH, FsError
from harness_pelion.virtual.kcm import BOOTSTRAPPED_ENDPOINT, ENROLMENT, KcmRefusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.virtual.clock import BoardClock
    from harness_pelion.virtual.filesystem import Filesystem
    from harness_pelion.virtual.kcm import Kcm
    from harness_pelion.virtual.settings import MblSettings

CERTIFICATES = posixpath.join(SCRATCH, "provisioning-certs")
USAGE = """\
Usage:
  pelion-provisioning-util [option]


Options:
  --provision                    Provision device, with developer and update credentials, from a set of \
binary files located at /scratch/provisioning-certs.
  --get-pelion-status            Get the Pelion status of the device.
  --help                         Show this message and exit.
    """

SUCCESS, FAILURE, WRONG_ARGUMENTS = range(3)

#: The files of the developer certificate and their items, in the order of section 2.1.
DEVELOPER_ITEMS: Mapping[str, Item] = {
    DeveloperVariable.ENDPOINT_NAME: Item.ENDPOINT_NAME,
    DeveloperVariable.DEVICE_CERTIFICATE: Item.BOOTSTRAP_DEVICE_CERT,
    DeveloperVariable.SERVER_ROOT_CA_CERTIFICATE: Item.BOOTSTRAP_SERVER_CA_CERT,
    DeveloperVariable.DEVICE_PRIVATE_KEY: Item.BOOTSTRAP_DEVICE_PRIVATE_KEY,
    DeveloperVariable.SERVER_URI: Item.BOOTSTRAP_SERVER_URI,
    DeveloperVariable.MANUFACTURER: Item.MANUFACTURER,
    DeveloperVariable.MODEL_NUMBER: Item.MODEL_NUMBER,
    DeveloperVariable.SERIAL_NUMBER: Item.SERIAL_NUMBER,
    DeveloperVariable.DEVICE_TYPE: Item.DEVICE_TYPE,
    DeveloperVariable.HARDWARE_VERSION: Item.HARDWARE_VERSION,
    DeveloperVariable.MEMORY_TOTAL_KB: Item.MEMORY_TOTAL_KB,
}
#: The files of the update resources and their items.
UPDATE_ITEMS: Mapping[str, Item] = {
    UpdateVariable.CERTIFICATE: Item.UPDATE_AUTH_CERT,
    UpdateVariable.VENDOR_ID: Item.VENDOR_ID,
    UpdateVariable.CLASS_ID: Item.CLASS_ID,
}

_USES_BOOTSTRAP = (1).to_bytes(4, "little")


@dataclass(slots=True)
class UtilRun:
    """One run of the utility.

    :ivar status: its exit code.
    """

    status: int = FAILURE
    _out: list[str] = field(default_factory=list)
    _err: list[str] = field(default_factory=list)

    @property
    def output(self) -> str:
        """What it wrote to the standard output."""
        return "".join(self._out)

    @property
    def errors(self) -> str:
        """What it wrote to the standard error."""
        return "".join(self._err)

    def say(self, line: str) -> None:
        """Write a line to the standard output."""
        self._out.append(f"{line}\n")

    def write(self, text: str) -> None:
        """Write a text to the standard output."""
        self._out.append(text)

    def complain(self, line: str) -> None:
        """Write a line to the standard error."""
        self._err.append(f"{line}\n")


class ProvisioningUtil:
    """Runs the utility. On the bench's loop thread only."""

    def __init__(self, kcm: Kcm, filesystem: Filesystem, clock: BoardClock, settings: MblSettings) -> None:
        """Know the parts of the device that it works on."""
        self._kcm = kcm
        self._filesystem = filesystem
        self._clock = clock
        self._settings = settings

    def run(self, arguments: Sequence[str]) -> UtilRun:
        """Run it.

        :param arguments: exactly one of ``--provision``, ``--get-pelion-status``, ``--help``.
        :raises PowerLost: the power went in between.
        """
        run = UtilRun()
        match list(arguments):
            case ["--provision"]:
                self._provision(run)
            case ["--get-pelion-status"]:
                self._tell_status(run)
            case ["--help"]:
                run.write(USAGE)
                run.status = SUCCESS
            case _:
                run.write(USAGE)
                run.status = WRONG_ARGUMENTS
        return run

    def _provision(self, run: UtilRun) -> None:
        run.say("Provisioning device.")
        developer = self._load(run, DEVELOPER_ITEMS)
        if developer is None:
            run.complain("There was an error parsing the dev credentials files")
        update = self._load(run, UPDATE_ITEMS)
        if update is None:
            run.complain("There was an error parsing the Update Credentials files")
        if developer is None or update is None:
            return
        if self._begin(run, developer[Item.ENDPOINT_NAME]):
            developer_stored = self._store(run, developer)
            update_stored = self._store(run, update)
            developer_stored = developer_stored and (
                not update_stored or self._store(run, {Item.USE_BOOTSTRAP: _USES_BOOTSTRAP})
            )
        else:
            developer_stored = update_stored = False
        if not developer_stored:
            run.complain("Developer Certificate Provisioning failed.")
        elif not update_stored:
            run.complain("Update Certificate Provisioning failed.")
        else:
            run.say("Provisioning process completed without error.")
            run.status = SUCCESS

    def _tell_status(self, run: UtilRun) -> None:
        run.say("Querying device status... ")
        try:
            verify(self._kcm, self._clock.now(), production=self._settings.production)
        except NotConfigured as reason:
            run.complain(str(reason))
        else:
            run.say("Device is configured correctly. You can connect to Pelion Cloud!")
            run.status = SUCCESS

    def _load(self, run: UtilRun, items: Mapping[str, Item]) -> dict[Item, bytes] | None:
        """Read the files of a group; ``None`` when one is missing."""
        loaded: dict[Item, bytes] = {}
        for variable, item in items.items():
            path = posixpath.join(CERTIFICATES, f"{variable}.bin")
            try:
                loaded[item] = self._filesystem.read(path)
            except FsError:
                run.complain(f"File with path {path}could not be opened")
        return loaded if len(loaded) == len(items) else None

    def _begin(self, run: UtilRun, endpoint_name: bytes) -> bool:
        """Be no longer configured, and forget what was got under another name."""
        if not self._delete(run, Item.USE_BOOTSTRAP):
            return False
        if self._kcm.get(BOOTSTRAPPED_ENDPOINT) != endpoint_name:
            got = [item for item in ENROLMENT if self._kcm.get(item) is not None]
            if got:
                try:
                    self._kcm.commit(dict.fromkeys(got))
                except KcmRefusal as refusal:
                    _complain_of(run, "delete", got[0], refusal)
                    return False
        return True

    def _store(self, run: UtilRun, group: Mapping[Item, bytes]) -> bool:
        """Store the items of a group, each deleted first, up to the first that is refused."""
        for item, data in group.items():
            if not self._delete(run, item):
                return False
            try:
                self._kcm.store(item, data, factory=True)
            except KcmRefusal as refusal:
                _complain_of(run, "store", item, refusal)
                return False
        return True

    def _delete(self, run: UtilRun, item: Item) -> bool:
        try:
            self._kcm.delete(item)
        except KcmRefusal as refusal:
            _complain_of(run, "delete", item, refusal)
            return False
        return True


def _complain_of(run: UtilRun, what: str, item: str, refusal: KcmRefusal) -> None:
    run.complain(f"Failed to {what} KCM Item! Item name: {item}")
    run.complain(f"Error status is: {refusal}")
