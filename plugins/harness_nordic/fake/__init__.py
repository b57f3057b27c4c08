"""A faithful fake of the nRF Cloud Identity & Provisioning Service, to run in a process of its own.

``service`` decides and knows no HTTP; ``management``, ``device_endpoint`` and ``control`` are its three
doors; ``app`` puts them together. Where the real behaviour is unknown, the fake choice of the nrfcloud
fact sheet is taken.
"""
