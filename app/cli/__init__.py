"""The ``zeroten`` command, one file for each group of verbs."""
