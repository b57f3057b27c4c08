"""The ``harness`` command. Nothing imports this package; it is a front door of the core."""
