"""Pelion Device Management: driver for Mbed Linux boards over SSH, client, fake and virtual device."""
