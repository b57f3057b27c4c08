"""A plugin that adds the profiles beside it."""

from pathlib import Path


def harness_board_profiles():
    """Give every profile of this directory."""
    return [Path(__file__).parent]
