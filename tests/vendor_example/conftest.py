"""The vendor's own files are run by the test beside them, in an environment of their own."""

collect_ignore = ["package", "suite"]
