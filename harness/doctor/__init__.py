"""The doctor: what about this host may keep sessions from working, and what to do about it."""
