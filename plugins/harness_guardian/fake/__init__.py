"""The fake Guardian service. It shares with the board's agent and the client nothing but the enumerations."""
