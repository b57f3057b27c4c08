"""What a virtual MBL device says of itself."""

from __future__ import annotations

KIND = "mbl-device-virtual"
MODEL = "MBL device"
RELEASE = "mbl-0.10"
KERNEL = "4.14.112"
SERIAL = "MBL{number:06d}"
#: Its host name; the number is drawn at the first boot and kept (pelion fact sheet, section 1.2).
HOST_NAME = "mbed-linux-os-{number}"
#: The most such a number can be.
MOST_HOST_NUMBER = 9999

#: What the console says when it boots.
BOOT_LOG = (
    "[    0.000000] Booting Linux on physical CPU 0x0",
    "[    0.000000] Linux version {kernel}-mbl",
    "[    0.398214] Machine model: {model}",
    "[    1.102731] EXT4-fs (mmcblk0p3): mounted filesystem, /config",
    "[    2.417120] systemd[1]: Set hostname to <{host_name}>.",
    "[    3.002914] dropbear[231]: Not backgrounding",
    "[    3.120548] systemd[1]: Started Mbed Linux OS cloud client, serial number {serial}.",
)
