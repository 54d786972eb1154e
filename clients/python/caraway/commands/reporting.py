"""`caraway report`: what a bug report needs."""

import json
from typing import Any

import click

from caraway.bug_report import platform_facts, versions
from caraway.commands.configuration import effective
from caraway.commands.connection import Session, operator_command
from caraway.commands.server import server_facts
from caraway.exceptions import AppNotFound, CarawayError
from caraway.loader import find_app
from caraway.settings import InvalidSettings, find_file, load
from caraway.settings.sections import sections

__all__ = ["report_command"]


@operator_command("report")
@click.option("-A", "--app", metavar="APP", help="As for `caraway worker`: tell of this app, too.")
def report_command(session: Session, app: str | None) -> None:
    """Show versions, platform, settings (secrets masked) and the gateway's facts. Works without a gateway too."""
    document = {
        "versions": versions(),
        "platform": platform_facts(),
        "settings": _settings(),
        **({} if app is None else {"app": _app(app)}),
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


def _app(name: str) -> dict[str, Any]:
    try:
        app = find_app(name)
    except AppNotFound as error:
        raise click.ClickException(str(error)) from error
    app.import_default_modules()
    return {
        "name": app.main or name,
        "target": app.target,
        "default_queue": app.default_queue,
        "task_base": f"{app.Task.__module__}.{app.Task.__qualname__}",
        "tasks": sorted(app.tasks),
        **{f"conf.{name}": repr(value) for name, value in sorted(app.conf.table().items())},
    }


def _gateway(session: Session) -> dict[str, Any]:
    try:
        return server_facts(session)
    except CarawayError as error:
        return {"target": session.target, "error": str(error)}
