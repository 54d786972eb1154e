"""A web service in front of tasks: what docs/calling.md says about event loops, as a program."""
