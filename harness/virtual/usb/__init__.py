"""The virtual USB lab: virtual boards as USB devices, for unpatched libudev and pyserial."""
