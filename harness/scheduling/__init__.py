"""Which test may run on which board, and who runs what next: decisions only, nothing is touched."""
