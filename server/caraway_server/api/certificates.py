"""The gateway's certificate, for connections that are made from now on."""

import logging
import ssl
from pathlib import Path
from typing import Any

import grpc

from caraway.settings import InvalidSettings, Problem
from caraway.tls import read_tls_files, why_refused

_log = logging.getLogger(__name__)


class _NewestContext(ssl.SSLContext):
    """Gives each connection to the newest context.

    The same context with new files in it would go on to trust authorities that were taken away: what it once trusted
    stays, and so do its sessions, by which clients come back without a certificate.
    """

    newest: ssl.SSLContext

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        return self.newest.wrap_bio(*args, **kwargs)


class Certificates:
    """Holds what the files held when they were last good.

    Args:
        cert: the chain, in PEM.
        key: its key, without a password.
        client_ca: who must have signed the certificates of clients; None: they need none.
    """

    def __init__(self, cert: Path, key: Path, client_ca: Path | None) -> None:
        self.paths = tuple(path for path in (cert, key, client_ca) if path is not None)
        self._cert, self._key, self._client_ca = cert, key, client_ca
        self._newest: Any = None
        self._given: Any = None
        self._context: _NewestContext | None = None

    def load(self) -> None:
        """Reads the files. Connections that are open stay as they are.

        Raises:
            InvalidSettings: a file is missing or wrong.
        """
        files = read_tls_files(self._cert, self._key, self._client_ca, ca_name="tls_client_ca")
        try:
            context = self._new_context()
        except OSError as error:  # they have changed since they were read, and will be read again
            raise InvalidSettings([Problem("tls_cert", f"it changes: {error}", str(self._cert))]) from error
        self._newest = grpc.ssl_server_certificate_configuration(
            [(files.key or b"", files.cert or b"")], root_certificates=files.ca
        )
        if self._context is not None:
            self._context.newest = context
        if reason := why_refused(context, self._cert):
            _log.warning("clients will refuse the certificate of tls_cert = %s: %s", self._cert, reason)

    def credentials(self) -> grpc.ServerCredentials:
        """What gRPC serves with: it asks for the newest certificate whenever a connection is made."""
        self._given = self._newest
        credentials: grpc.ServerCredentials = grpc.dynamic_ssl_server_credentials(
            self._given, self._fetch, require_client_authentication=self._client_ca is not None
        )
        return credentials

    def context(self) -> ssl.SSLContext:
        """What HTTP serves with; it takes new files for the connections after them."""
        if self._context is None:
            self._context = _NewestContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.newest = self._new_context()
        return self._context

    def _new_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._cert, self._key)
        if self._client_ca is not None:
            context.load_verify_locations(self._client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _fetch(self) -> Any:
        """Called in gRPC's own threads; None says that nothing changed."""
        newest = self._newest
        if newest is self._given:
            return None
        self._given = newest
        return newest
