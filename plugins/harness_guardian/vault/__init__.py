"""A Vault-shaped service: PKI and transit engines over HTTP, with faults that are ordered and a log."""
