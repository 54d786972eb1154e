"""A module that the worker's fixture imports."""
