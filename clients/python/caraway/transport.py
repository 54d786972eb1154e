"""How a gateway is reached: its address, whether by TLS, and the token that goes with each call."""

import os
from pathlib import Path
from typing import Final

from caraway.settings import Credentials, InvalidSettings, Problem
from caraway.settings.credentials import is_token
from caraway.tls import TlsFiles, read_tls_files

__all__ = ["Metadata", "Transport"]

Metadata = tuple[tuple[str, str], ...]

_TLS: Final = "grpcs://"
_PLAIN: Final = "grpc://"


class Transport:
    """One target as one client reaches it."""

    def __init__(self, target: str, credentials: Credentials | None = None) -> None:
        """`target` is HOST:PORT, grpcs://HOST:PORT (by TLS), grpc://HOST:PORT, or any other target that gRPC knows.

        Raises InvalidSettings if it does not go with the credentials.
        """
        credentials = credentials or Credentials()
        if target.startswith(("http://", "https://")):
            raise InvalidSettings([Problem("target", "write HOST:PORT, or grpcs://HOST:PORT for TLS", target)])
        if target.startswith(_PLAIN) and credentials.names_tls:
            raise InvalidSettings(
                [Problem("target", "it is without TLS, and files of TLS are named: write grpcs://", target)]
            )
        self.target = target
        self.address = target.removeprefix(_TLS).removeprefix(_PLAIN)
        self.secure = target.startswith(_TLS) or credentials.names_tls
        self.server_name = credentials.tls_server_name
        self._credentials = credentials
        token = credentials.token
        self._file = Path(token[1:]) if token.startswith("@") else None
        self._stamp: tuple[int, int, int] | None = None
        self._metadata = None if not token or self._file is not None else _bearer(token)

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """Options of its channels."""
        return (("grpc.ssl_target_name_override", self.server_name),) if self.server_name else ()

    def tls_files(self) -> TlsFiles:
        """Read the files of TLS. Raises InvalidSettings."""
        named = self._credentials
        return read_tls_files(named.tls_cert, named.tls_key, named.tls_ca)

    def metadata(self) -> Metadata | None:
        """What goes with a call: the token, as its file has it now. Raises InvalidSettings if that is no use."""
        if self._file is not None:
            self._read(self._file)
        return self._metadata

    def _read(self, path: Path) -> None:
        try:
            status = os.stat(path)
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp == self._stamp:
                return
            token = path.read_text(encoding="utf-8").strip()
            wrong = "" if is_token(token) else "it must hold a token and nothing else"
        except (OSError, UnicodeDecodeError) as error:
            wrong = f"it can't be read: {error}"
        if not wrong:
            self._stamp, self._metadata = stamp, _bearer(token)
        elif self._metadata is None:
            raise InvalidSettings([Problem("token", wrong, f"@{path}")])
        # Else it is being replaced: the one before may still do.


def _bearer(token: str) -> Metadata:
    return (("authorization", f"Bearer {token}"),)
