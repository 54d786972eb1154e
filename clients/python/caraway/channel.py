"""The one place where channels are made: grpc loaded for forking programs, and every option said.

grpc's defaults suit neither long waits (no keepalive) nor short outages (reconnects up to two minutes apart). The rest
of the SDK takes grpc from here, never by `import grpc`, which might load it before its environment is set.
"""

import os
from typing import Final

# grpc reads these when it is loaded. Without fork support the child of a program that has called grpc hangs; at its
# default verbosity grpc writes to the program's stderr what every call here reports by an exception anyway.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "1")
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc
from grpc import Channel, RpcError, StatusCode

from caraway.transport import Transport

__all__ = ["OPTIONS", "Channel", "RpcError", "StatusCode", "new_channel"]

_MAX_MESSAGE: Final = 64 * 1024 * 1024

OPTIONS: Final[tuple[tuple[str, int], ...]] = (
    # The gateway sets the limit (4 MiB by default) and says so in its refusal; this only bounds a fault on either side.
    ("grpc.max_send_message_length", _MAX_MESSAGE),
    ("grpc.max_receive_message_length", _MAX_MESSAGE),
    # A wait lasts up to 60 s without a byte: a dead peer is noticed by pings. None are sent without calls.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 0),
    # A restarted gateway is found again within two seconds.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # Retries are this SDK's: it knows which calls are safe to repeat and until when.
    ("grpc.enable_retries", 0),
)


def new_channel(transport: Transport) -> Channel:
    """Make a channel that connects at its first call. Raises InvalidSettings if a file of TLS is wrong."""
    options = (*OPTIONS, *transport.options)
    if not transport.secure:
        return grpc.insecure_channel(transport.address, options=options)
    files = transport.tls_files()
    credentials = grpc.ssl_channel_credentials(files.ca, files.key, files.cert)
    return grpc.secure_channel(transport.address, credentials, options=options)


# grpc's core shuts itself down, in a thread of its own, once nothing uses it, as when the only channel is closed for a
# fork. A fork that met this thread inherited its locks, and the child hung (in 7 of 10 runs of 20 forks). A channel
# that is never called opens no connection and keeps the core up.
_keeps_core_up: Final = new_channel(Transport("unix:/nowhere"))
