"""The provisioning harness: boards found, leased and proven end to end.

The core knows no vendor and no service; both arrive as plugins (see :mod:`harness.hookspecs`).
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("provisioning-harness")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0.0.0"

__all__ = ["__version__"]
