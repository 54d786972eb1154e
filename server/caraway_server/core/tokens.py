"""Tokens of clients and workers: how one is made, how the gateway's file writes it, and whose one is.

The file has a line for each: `NAME sha256:HEX`. It holds hashes, so who reads it can't call. A token is 256 random
bits: there is nothing to guess, and neither a salt nor a slow hash would make it harder.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_PREFIX: Final = "sha256:"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@/-]{0,63}")
_HASH: Final = re.compile(r"sha256:[0-9a-f]{64}")
_BYTES: Final = 32


class BadTokens(Exception):
    """The file, or a line of it, is wrong; the message says which and what to write."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls: what a scope would be asked of.

    Attributes:
        name: of the token; several may have one, as while an old token gives way to a new one.
    """

    name: str


@dataclass(frozen=True, slots=True, repr=False)
class Tokens:
    """All that are valid, by the hash of each."""

    identities: Mapping[bytes, Identity]

    @classmethod
    def parse(cls, text: str) -> "Tokens":
        """Reads the file's text. Empty lines, and those that begin with #, say nothing.

        Raises:
            BadTokens: a line is wrong, or there is no token at all.
        """
        found: dict[bytes, Identity] = {}
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if len(words) != 2 or not _NAME.fullmatch(words[0]) or not _HASH.fullmatch(words[1]):
                # What stands there is not repeated: it may be a token.
                raise BadTokens(f"line {number}: write NAME sha256:HEX, as `caraway token NAME` prints it")
            found[bytes.fromhex(words[1].removeprefix(_PREFIX))] = Identity(words[0])
        if not found:
            raise BadTokens("there is no token in it; `caraway token NAME` makes one")
        return cls(found)

    def identity_of(self, token: str) -> Identity | None:
        """Whose token this is; None: nobody's.

        It is looked up by its hash, which a caller can't steer: what time that takes tells nothing about any token.
        """
        if not token.isascii():  # no token is; and what HTTP makes of bytes that are no text can't be encoded
            return None
        return self.identities.get(hashlib.sha256(token.encode()).digest())


def check_name(name: str) -> None:
    """Raises BadTokens: it is no name for a token."""
    if not _NAME.fullmatch(name):
        raise BadTokens(f"{name!r} is no name: write 1 to 64 letters, digits and . _ @ / -, a letter or digit first")


def new_token() -> str:
    """Makes a token."""
    return secrets.token_urlsafe(_BYTES)


def line_of(name: str, token: str) -> str:
    """The line by which the file knows it."""
    return f"{name} {_PREFIX}{hashlib.sha256(token.encode()).hexdigest()}"
