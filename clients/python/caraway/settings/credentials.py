"""How a client shows who it is, and knows the gateway: what the sections `client` and `worker` have in common."""

from dataclasses import dataclass
from pathlib import Path

from caraway.settings.definition import setting
from caraway.settings.problems import Problem

__all__ = ["Credentials", "is_token"]


def is_token(text: str) -> bool:
    """Tell whether a header can carry it."""
    return bool(text) and all("!" <= character <= "~" for character in text)


def _mask(token: str) -> str:
    return token if token.startswith("@") else "***"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token, and files of TLS. With any of the latter a connection is made by TLS, as with a target grpcs://."""

    token: str = setting(
        "",
        "The token that the gateway asks for, or @FILE: read from there, again when it changes. On a command line "
        "anyone on the machine can read it: name a file there.",
        secret=_mask,
    )
    tls_ca: Path | None = setting(
        None, "Authorities that sign the gateway's certificate, in PEM.", shown="with grpcs://: those of gRPC"
    )
    tls_cert: Path | None = setting(None, "Certificate to show to a gateway that asks for one, in PEM.")
    tls_key: Path | None = setting(None, "Its key, without a password.")
    tls_server_name: str = setting("", "Name in the gateway's certificate.", shown="the target's host")

    @property
    def names_tls(self) -> bool:
        """Whether there is anything about TLS."""
        return bool(self.tls_ca or self.tls_cert or self.tls_key or self.tls_server_name)

    def credential_problems(self) -> list[Problem]:
        """What is wrong with them, as far as it is seen without the files."""
        problems = []
        if (self.tls_cert is None) != (self.tls_key is None):
            missing = "tls_key" if self.tls_key is None else "tls_cert"
            problems.append(Problem(missing, "name it too: a certificate and its key go together"))
        # It goes into a header; what stands there is not repeated.
        if self.token and not self.token.startswith("@") and not is_token(self.token):
            problems.append(Problem("token", "it has characters that no token has; write it alone, or @FILE"))
        return problems
