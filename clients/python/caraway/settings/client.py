"""What a program or a command needs to know to reach a gateway."""

from dataclasses import dataclass
from typing import ClassVar

from caraway.settings.credentials import Credentials
from caraway.settings.definition import setting
from caraway.settings.problems import InvalidSettings

__all__ = ["ClientSettings"]


@dataclass(frozen=True, slots=True)
class ClientSettings(Credentials):
    """The section `client`."""

    section: ClassVar[str] = "client"

    target: str = setting("localhost:50051", "The gateway's address, HOST:PORT; grpcs://HOST:PORT by TLS.")

    def __post_init__(self) -> None:
        """Raise InvalidSettings with all that is wrong."""
        if problems := self.credential_problems():
            raise InvalidSettings(problems)
