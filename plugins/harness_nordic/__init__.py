"""The nRF91 series and nRF Cloud Identity & Provisioning: boards, service, and their virtual twins."""
