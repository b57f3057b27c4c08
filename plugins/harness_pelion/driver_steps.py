"""The steps of provisioning on a device behind SSH, each on a connection of its own.

A: the temporary folder is made anew. B: the files are copied into it. C: the utility stores them. D: the
folder is removed, whatever came of A to C. Source: pelion fact sheet, sections 1.6 and 2.
"""

from __future__ import annotations

import re
import shlex
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.errors import BoardLost, HarnessError, UsageError
from harness.evidence import step
from harness_pelion.driver_models import (
    FOLDER,
    UTIL,
    Outcome,
    PelionStatus,
    RemoteCommandFailed,
    judge_status,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.ssh import Ended, SshConnection
    from harness_pelion.resources import DeveloperCredentials, UpdateResources

#: What a command may take (pelion fact sheet, section 1.3: 300 s), and what a short one may.
REMOTE_SECONDS, COMMAND_SECONDS = 300.0, 30.0
#: How long a device that went away is waited for, so that its temporary folder can be removed.
CLEANUP_SECONDS = 60.0

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_NAME = re.compile(r"[^/\x00-\x1f\x7f]{1,200}")


class RemoteDevice:
    """A device behind SSH. Every step and every command is a connection of its own, as with MBL CLI.

    :ivar name: what it is called in messages.
    :ivar cleanup_seconds: how long it is waited for when it went away before its folder was removed.
    :ivar folder_left: whether its temporary folder may still be there, with a private key in it.
    """

    def __init__(
        self, connection: SshConnection, name: str, *, cleanup_seconds: float = CLEANUP_SECONDS
    ) -> None:
        """Use a connection, which connects anew for each step.

        :param connection: closed after each step; whoever made it may use it in between.
        """
        self.connection = connection
        self.name = name
        self.cleanup_seconds = cleanup_seconds
        self.folder_left = False

    # -- commands -----------------------------------------------------------------------------------------

    @contextmanager
    def session(self) -> Iterator[SshConnection]:
        """Give a connection of its own for as long as the block lasts."""
        self.connection.close()
        try:
            yield self.connection
        finally:
            self.connection.close()

    def execute(self, command: str, *, timeout: float = COMMAND_SECONDS) -> Ended:
        """Execute a command and return how it ended, whatever its status.

        :param timeout: seconds for all of it, connecting included.
        :raises BoardLost: the device is not there, or goes away.
        :raises ConsoleTimeout: it did not end in time.
        """
        with self.session() as connection:
            return connection.run(command, timeout=timeout)

    def must(self, command: str, *, timeout: float = COMMAND_SECONDS) -> Ended:
        """Execute a command that has to end with status 0.

        :raises RemoteCommandFailed: it did not.
        """
        return _succeeded(command, self.execute(command, timeout=timeout))

    def util(self, *options: str, timeout: float = REMOTE_SECONDS) -> Ended:
        """Run ``pelion-provisioning-util`` with any options."""
        return self.execute(shlex.join([UTIL, *options]), timeout=timeout)

    def status(self) -> PelionStatus:
        """Ask the device whether it is configured.

        :raises BoardFault: what it says contradicts itself.
        """
        ended = self.util("--get-pelion-status")
        return judge_status(ended.status, text_of(ended.output), text_of(ended.errors))

    def folder_exists(self) -> bool:
        """Tell whether the temporary folder is there.

        :raises RemoteCommandFailed: the device cannot tell.
        """
        command = shlex.join(["test", "-e", FOLDER])
        ended = self.execute(command)
        if ended.status not in {0, 1}:
            raise RemoteCommandFailed(command, ended.status, text_of(ended.errors))
        return ended.status == 0

    # -- the four steps -----------------------------------------------------------------------------------

    def make_folder(self) -> None:
        """Do step A: make the temporary folder anew.

        :raises RemoteCommandFailed: the device cannot.
        """
        self.folder_left = True
        with step("The temporary folder is made"), self.session() as connection:
            for words in (["rm", "-r", "-f", FOLDER], ["mkdir", "-p", FOLDER]):
                command = shlex.join(words)
                _succeeded(command, connection.run(command, timeout=COMMAND_SECONDS))

    def transfer(self, sets: Mapping[str, Mapping[str, bytes]]) -> None:
        """Do step B: copy each set of files into a directory of its name, then move them out of it.

        :param sets: contents by file name, by the set's name.
        :raises BoardFault: the device does not take them.
        """
        from harness.ssh.files import put_bytes

        with step("Credentials are copied onto the device"), self.session() as connection:
            deadline = time.monotonic() + REMOTE_SECONDS
            for name, files in sets.items():
                command = shlex.join(["mkdir", "-p", f"{FOLDER}/{name}"])
                _succeeded(command, connection.run(command, timeout=COMMAND_SECONDS))
                left = max(0.0, deadline - time.monotonic())
                put_bytes(connection, files, f"{FOLDER}/{name}", timeout=left)
            for name in sets:
                command = f"mv {shlex.quote(f'{FOLDER}/{name}')}/* {shlex.quote(FOLDER)}"
                _succeeded(command, connection.run(command, timeout=COMMAND_SECONDS))

    def run_provisioning(self) -> Outcome:
        """Do step C: let the utility store what is in the folder; its exit status is kept."""
        with step("The utility stores the credentials"):
            ended = self.util("--provision")
        return Outcome(status=ended.status, output=text_of(ended.output), errors=text_of(ended.errors))

    def remove_folder(self) -> None:
        """Do step D: remove the temporary folder; a device that went away is waited for.

        :raises BoardLost: it did not come back in time.
        :raises RemoteCommandFailed: it cannot remove the folder.
        """
        command = shlex.join(["rm", "-r", "-f", FOLDER])
        deadline, pause = time.monotonic() + self.cleanup_seconds, _FIRST_PAUSE
        with step("The temporary folder is removed"), self.session() as connection:
            while True:
                try:
                    _succeeded(command, connection.run(command, timeout=COMMAND_SECONDS))
                except BoardLost:
                    left = deadline - time.monotonic()
                    if left <= pause:
                        raise
                    threading.Event().wait(pause)  # nobody tells from afar that a device listens again
                    pause = min(2 * pause, _LONGEST_PAUSE)
                    connection.wait_until_back(max(pause, deadline - time.monotonic()))
                else:
                    break
        self.folder_left = False

    def provision(self, developer: DeveloperCredentials, update: UpdateResources) -> Outcome:
        """Do steps A to D; D comes whatever became of the others, also after a lost connection.

        :return: how the utility ended; it is for the caller to judge.
        :raises UsageError: a name is none that a directory may have.
        :raises BoardLost: the device went away; the folder is removed all the same if it came back in time,
            else a note of the exception says so.
        :raises BoardFault: a step failed.
        """
        sets = file_sets(developer, update)
        try:
            self.make_folder()
            self.transfer(sets)
            outcome = self.run_provisioning()
        except BaseException as error:
            self._clean_up_after(error)
            raise
        try:
            self.remove_folder()
        except HarnessError as error:
            error.add_note(f"{self.name}: before, the utility ended with status {outcome.status}")
            raise
        return outcome

    def _clean_up_after(self, error: BaseException) -> None:
        try:
            self.remove_folder()
        except HarnessError as fault:
            error.add_note(f"{self.name}: {FOLDER} could not be removed: {fault}")


def file_sets(developer: DeveloperCredentials, update: UpdateResources) -> dict[str, dict[str, bytes]]:
    """Return the files of both sets by name of the set, as they are copied onto a device.

    Two sets of one name share a directory (pelion fact sheet, section 1.4).

    :raises UsageError: a set's name is none that a directory may have.
    """
    sets: dict[str, dict[str, bytes]] = {}
    for each in (developer, update):
        if not _NAME.fullmatch(each.name) or each.name in {".", ".."}:
            raise UsageError("no name of a directory", key="name", value=each.name, expected="without /")
        sets.setdefault(each.name, {}).update(each.bin_files)
    return sets


def text_of(said: bytes) -> str:
    """Return what a command wrote as text, whatever the bytes."""
    return said.decode("utf-8", "backslashreplace")


def _succeeded(command: str, ended: Ended) -> Ended:
    if ended.status != 0:
        raise RemoteCommandFailed(command, ended.status, text_of(ended.errors))
    return ended
