"""Consoles: open, capture, index, expect."""
