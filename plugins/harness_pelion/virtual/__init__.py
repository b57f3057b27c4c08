"""The virtual board: an Mbed Linux device behind SSH."""
