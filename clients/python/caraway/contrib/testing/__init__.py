"""Apps, gateways and workers inside of a test's process; docs/testing.md shows how they are used."""

__all__: list[str] = []
