"""The demo: counts words, one task a file, on a gateway and a worker of its own. `make demo` runs it."""
