"""A virtual component that runs the provisioning agent, on a serial console and over SSH."""
