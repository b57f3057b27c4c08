"""Boards: what describes a kind of board, which boards there are, and who holds them."""
