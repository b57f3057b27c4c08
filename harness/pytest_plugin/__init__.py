"""The pytest front door: options, fixtures, markers, scheduling, reports."""
