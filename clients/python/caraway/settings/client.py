"""What a program or a command needs to know to reach a gateway."""

from dataclasses import dataclass
from typing import ClassVar

from caraway.settings.definition import setting

__all__ = ["ClientSettings"]


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """The section `client`."""

    section: ClassVar[str] = "client"

    target: str = setting("localhost:50051", "The gateway's address, HOST:PORT.")
