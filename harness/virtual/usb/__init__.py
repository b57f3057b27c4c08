"""The virtual USB lab: virtual boards as USB devices of a mocked sysfs, for unpatched libudev and pyserial."""
