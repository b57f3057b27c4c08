"""SSH of virtual boards: what all vendors' boards that are reached by it have in common.

A vendor's board says in :class:`~harness.virtual.ssh.visits.Visit` who is let in and what is served.
"""

from harness.virtual.ssh.keys import KeyPair
from harness.virtual.ssh.port import KeptPort
from harness.virtual.ssh.server import SshServer
from harness.virtual.ssh.visits import KEY, METHODS, NONE, PASSWORD, Turned, Visit

__all__ = ["KEY", "METHODS", "NONE", "PASSWORD", "KeptPort", "KeyPair", "SshServer", "Turned", "Visit"]
