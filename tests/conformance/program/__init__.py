"""Python's program of the conformance suite: what README.md asks of each language."""
