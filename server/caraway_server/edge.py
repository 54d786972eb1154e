"""The gateway's edge, wired: how it is reached, and who may call."""

import logging
import ssl
from collections.abc import Sequence

import grpc

from caraway_server.addresses import free_port
from caraway_server.api.authentication import Authentication
from caraway_server.api.certificates import Certificates
from caraway_server.reloading import Reloaded, Reloader
from caraway_server.settings import Settings

_log = logging.getLogger(__name__)


class Edge:
    """TLS and tokens, as far as the settings name them, read again when their files change.

    Args:
        settings: what the gateway was started with.

    Raises:
        InvalidSettings: something is wrong with a file that they name.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._certificates: Certificates | None = None
        self._authentication: Authentication | None = None
        sets = []
        if settings.tls_cert is not None and settings.tls_key is not None:
            self._certificates = Certificates(settings.tls_cert, settings.tls_key, settings.tls_client_ca)
            sets.append(Reloaded("files of TLS", self._certificates.paths, self._certificates.load))
        if settings.tokens is not None:
            self._authentication = Authentication(settings.tokens)
            sets.append(Reloaded("tokens", (settings.tokens,), self._authentication.load))
        self._reloader = Reloader(sets)
        self._reloader.load()

    def warn(self) -> None:
        """Says in the log what is missing where the gateway was told to do without it."""
        if self._settings.unprotected:
            _log.warning(
                "%s reaches beyond this machine, and there is no %s (--insecure): anyone who can reach it can run "
                "tasks, or listen to them",
                self._settings.listen if not self._settings.http else f"{self._settings.listen}, or --http,",
                self._settings.unprotected,
            )

    def guard(self, handlers: Sequence[grpc.GenericRpcHandler]) -> Sequence[grpc.GenericRpcHandler]:
        """The handlers as callers may reach them."""
        return handlers if self._authentication is None else (self._authentication.guard(handlers),)

    def listen(self, server: grpc.aio.Server) -> int:
        """Opens the port, and returns it.

        Raises:
            OSError: the address can't be listened on.
        """
        address = self._settings.listen
        try:
            if self._certificates is None:
                return server.add_insecure_port(address)
            return server.add_secure_port(address, self._certificates.credentials())
        except RuntimeError as error:
            free_port("--listen", address)  # says why, which gRPC does not
            raise OSError(f"--listen {address}: it can't be listened on") from error

    def http_tls(self) -> ssl.SSLContext | None:
        """What HTTP serves TLS with, the same files; None: it is served without."""
        return None if self._certificates is None else self._certificates.context()

    async def run(self) -> None:
        """Looks after the files. Never returns; cancel it."""
        await self._reloader.run()
