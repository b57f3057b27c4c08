"""The provisioning agent that runs on the host for a board with plain AT firmware.

It fetches in the board's name with the modem's JWT, executes over the console and reports, by the rules of
Nordic's library (nrfcloud fact sheet, section 3.6). It shares nothing with the fake and the virtual board
that encodes, decodes, signs or decides.
"""
