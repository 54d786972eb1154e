"""docker-compose.yml, read: services, their commands as lists, durations in seconds."""

import re
import shlex
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
IMAGE_COMMAND = ["caraway"]  # the Dockerfile's ENTRYPOINT; a test holds both together
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())["services"]


def command(service: str) -> list[str]:
    """What a service runs, entry point and command together."""
    described = SERVICES[service]
    own = [] if "build" not in described and described["image"] != "caraway" else IMAGE_COMMAND
    return _words(described.get("entrypoint", own)) + _words(described.get("command", []))


def health_command(service: str) -> list[str]:
    """What a service's health is asked by."""
    kind, *words = SERVICES[service]["healthcheck"]["test"]
    assert kind == "CMD"
    return words


def option(words: list[str], name: str) -> str:
    """The value of an option in a command."""
    return words[words.index(name) + 1]


def seconds(text: str) -> int:
    """Of a duration as compose writes it."""
    found = re.fullmatch(r"(\d+)s", text)
    assert found, text
    return int(found[1])


def _words(value: str | list[str]) -> list[str]:
    return shlex.split(value) if isinstance(value, str) else value
