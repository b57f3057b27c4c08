"""Boards that are reached by SSH: where they are, and commands executed on them. Needs paramiko."""

from harness.ssh.address import SshAddress, address_of
from harness.ssh.connection import Ended, Execution, SshConnection, open_ssh

__all__ = ["Ended", "Execution", "SshAddress", "SshConnection", "address_of", "open_ssh"]
