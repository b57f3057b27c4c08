"""The two pages of Guardian, Devices and Provisioning, as the seed 'Manage device provisioning' names them.

Rendered by the server; nothing is fetched from anywhere else, and nothing needs a script. What they show and
do comes from the functions behind the REST interface.
"""

from harness_guardian.fake.pages.routing import routes

__all__ = ["routes"]
