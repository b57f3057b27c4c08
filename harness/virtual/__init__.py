"""The virtual bench: any number of virtual boards behind real ptys, in a process of their own."""
