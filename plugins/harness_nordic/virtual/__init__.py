"""A virtual nRF91 board: modem, secure storage and the firmware that provisions itself.

Nothing here is shared with the fake service: this side encodes, decodes and signs with code of its own.
"""
