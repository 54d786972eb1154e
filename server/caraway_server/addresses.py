"""Addresses that this gateway is to listen on, tried before others are told of them."""

import socket


def free_port(setting: str, address: str) -> int:
    """Makes sure that HOST:PORT can be listened on and that nobody does, and returns its port: a free one for 0.

    Args:
        setting: what names the address, for the error.
        address: an IPv6 host has brackets.

    Raises:
        OSError: it can't; the message says why.
    """
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host.strip("[]"), int(port)))
            found: int = probe.getsockname()[1]
            return found
    except OSError as error:
        raise OSError(f"{setting} {address}: {error.strerror or error}") from error
