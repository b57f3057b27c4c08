"""Make a system at a Guardian that was served by hand, and write its provisioning package."""

import os
import sys
from pathlib import Path

from harness_guardian.client import connect

from harness.backends.contract import Backend, BackendSession

backend = Backend(name="guardian", mode="url", url=os.environ["GUARDIAN_URL"])
client = connect(backend, BackendSession(run_id="by-hand", worker="main"))
system = client.create_system()
Path("package.json").write_bytes(system.package())
sys.stdout.write(f"system {system.name}, component {system.definition.components[0]['name']}\n")
client.close()
