"""`caraway report`: what a bug report needs."""

import json
from typing import Any

import click

from caraway.bug_report import platform_facts, versions
from caraway.commands.configuration import effective
from caraway.commands.connection import Session, operator_command
from caraway.commands.server import server_facts
from caraway.exceptions import CarawayError
from caraway.settings import InvalidSettings, find_file, load
from caraway.settings.sections import sections

__all__ = ["report_command"]


@operator_command("report")
def report_command(session: Session) -> None:
    """Show versions, platform, settings (secrets masked) and the gateway's facts. Works without a gateway too."""
    document = {
        "versions": versions(),
        "platform": platform_facts(),
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
