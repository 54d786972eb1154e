"""Certificates and keys: read from their files and checked, for a gateway as for those who connect to one."""

import contextlib
import ssl
from dataclasses import dataclass
from pathlib import Path

from caraway.settings import InvalidSettings, Problem

__all__ = ["TlsFiles", "read_tls_files", "why_refused"]


@dataclass(frozen=True, slots=True, repr=False)
class TlsFiles:
    """What the files hold, in PEM; None where none is named."""

    cert: bytes | None = None
    key: bytes | None = None
    ca: bytes | None = None


def read_tls_files(cert: Path | None, key: Path | None, ca: Path | None, *, ca_name: str = "tls_ca") -> TlsFiles:
    """Read a certificate chain with its key, and the authorities that the other side is to be signed by.

    Arguments: `ca_name` is what the setting of `ca` is called. Raises InvalidSettings: a file can't be read, is no PEM,
    or the key is not the certificate's.
    """
    named = {"tls_cert": cert, "tls_key": key, ca_name: ca}
    read: dict[str, bytes | None] = {}
    problems = []
    for name, path in named.items():
        try:
            read[name] = None if path is None else path.read_bytes()
        except OSError as error:
            problems.append(Problem(name, f"it can't be read: {error.strerror or error}", str(path)))
    if problems:
        raise InvalidSettings(problems)
    _check(cert, key, ca, ca_name)
    return TlsFiles(read["tls_cert"], read["tls_key"], read[ca_name])


def _check(cert: Path | None, key: Path | None, ca: Path | None, ca_name: str) -> None:
    """gRPC would say nothing of what is wrong here but that a handshake failed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca is not None:
        try:
            context.load_verify_locations(ca)
        except (OSError, ValueError) as error:
            raise InvalidSettings([Problem(ca_name, "write a PEM file with certificates", str(ca))]) from error
    if cert is not None and key is not None:
        try:
            # A key with a password would be asked for on the terminal.
            context.load_cert_chain(cert, key, password=lambda: "")
        except (OSError, ValueError) as error:
            text = f"it, with tls_key = {key}, is no PEM certificate with its unencrypted key ({_reason(error)})"
            raise InvalidSettings([Problem("tls_cert", text, str(cert))]) from error


def why_refused(server: ssl.SSLContext, cert: Path) -> str:
    """Give why clients refuse a server's certificate whoever signed it, such as that it has expired; empty: they don't.

    Arguments: `server` is what it serves with, `cert` has its certificate. A handshake in memory tells: Python reads no
    dates from a file.
    """
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.load_verify_locations(cert)
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(to_client, to_server)
    try:
        for side in (client, server.wrap_bio(to_server, to_client, server_side=True), client):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except ssl.SSLError:  # what it is there for, only a client that connects can tell
        return ""
    return ""


def _reason(error: Exception) -> str:
    return (error.reason if isinstance(error, ssl.SSLError) else "") or str(error)
