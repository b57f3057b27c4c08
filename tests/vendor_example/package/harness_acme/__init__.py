"""Acme's part of the harness: one kind of board, its driver, and Acme Cloud with a fake."""
