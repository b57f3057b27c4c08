"""Whether boards answer, how those that do not are brought back, and which are kept from sessions."""
