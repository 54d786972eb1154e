"""A gateway with TLS and tokens, and ways to it."""

import os
from pathlib import Path

import grpc

from caraway_server.core.tokens import line_of, new_token
from support.certificates import Authority, Pair
from support.gateway import GatewayProcess


def replace(path: Path, content: bytes) -> None:
    """Puts a new file in a file's place, at once."""
    aside = path.with_suffix(".new")
    aside.write_bytes(content)
    os.replace(aside, path)


class SecuredGateway:
    """A gateway that serves by TLS only.

    Args:
        folder: for its files; short enough for a unix socket.
        tokens: whether it asks for tokens: `token` is a valid one.
        mutual: whether it asks for client certificates of its authority: `client` is one.
        flags: further flags.
    """

    def __init__(self, folder: Path, *flags: str, tokens: bool = True, mutual: bool = False) -> None:
        self.folder = folder
        self.authority = Authority("tests")
        self.ca = self.authority.write(folder, "ca")
        self.cert, self.key = self.authority.issue("gateway.test").write(folder, "gateway")
        self.client: Pair = self.authority.issue("client")
        self.tokens: dict[str, str] = {}
        self.tokens_file = folder / "tokens"
        self.token = self.allow("tests") if tokens else ""
        asked = ["--tls-cert", str(self.cert), "--tls-key", str(self.key)]
        asked += ["--tokens", str(self.tokens_file)] if tokens else []
        asked += ["--tls-client-ca", str(self.ca)] if mutual else []
        self.process = GatewayProcess(folder / "data", *asked, *flags)

    def start(self) -> "SecuredGateway":
        """Starts it and waits until it listens."""
        self.process.start()
        return self

    def stop(self) -> None:
        """SIGTERM."""
        self.process.stop()

    @property
    def target(self) -> str:
        """Its address."""
        return self.process.target

    @property
    def output(self) -> str:
        """What it has said."""
        assert self.process.running is not None
        return self.process.running.output

    def allow(self, name: str) -> str:
        """Makes a token that it will take, and returns it."""
        self.tokens[name] = new_token()
        self._write_tokens()
        return self.tokens[name]

    def remove(self, name: str) -> None:
        """Takes a token away."""
        del self.tokens[name]
        self._write_tokens()

    def _write_tokens(self) -> None:
        lines = [line_of(name, token) for name, token in self.tokens.items()]
        replace(self.tokens_file, "\n".join(["# tests", *lines, ""]).encode())

    def renew(self) -> None:
        """Gives it a certificate of another authority, which `ca` then is."""
        self.authority = Authority("tests renewed")
        pair = self.authority.issue("gateway.test")
        replace(self.cert, pair.cert)
        replace(self.key, pair.key)
        self.ca = self.authority.write(self.folder, "renewed")

    def channel(self, token: str | None = None, *, ca: bytes | None = None, client: Pair | None = None) -> grpc.Channel:
        """A channel with a token, the valid one by default ("": with none); the caller closes it."""
        shown = (client.key, client.cert) if client is not None else (None, None)
        credentials = grpc.ssl_channel_credentials(ca or self.ca.read_bytes(), *shown)
        token = self.token if token is None else token
        if token:
            call = grpc.access_token_call_credentials(token)
            credentials = grpc.composite_channel_credentials(credentials, call)
        return grpc.secure_channel(self.target, credentials, options=[("grpc.use_local_subchannel_pool", 1)])
