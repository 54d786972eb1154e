"""The project is run by test_kit.py, in a process of its own."""

collect_ignore = ["project"]
