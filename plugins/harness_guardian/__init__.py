"""Guardian device provisioning with approvals: driver, client, virtual component, fake service and Vault."""
