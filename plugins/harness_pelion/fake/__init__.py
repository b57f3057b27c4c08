"""The fake service: Pelion's API, its bootstrap server and its LwM2M server."""
