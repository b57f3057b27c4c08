"""Provisioning services as the suites see them: the contract, the HTTP client, running fakes."""
