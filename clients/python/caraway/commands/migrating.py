"""`caraway migrate-check`."""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import click

from caraway.migration.finding import Finding, Level
from caraway.migration.project import Project

__all__ = ["migrate_check_command"]


@click.command("migrate-check")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--fix", is_flag=True, help="Rewrite imports of Celery that have a counterpart here; with --target, more."
)
@click.option(
    "--target", metavar="grpc://HOST:PORT", help="With --fix: write this where a broker's URL stands as plain text."
)
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
def migrate_check_command(path: Path, fix: bool, target: str | None, as_json: bool) -> None:
    """Read a project that uses Celery and tell, by file and line, what is to be done to move it.

    PATH is a folder or a file. Its code is read, never run. Findings are of three kinds: what must change; what means
    something else here; what is unneeded. Exit code 1 if anything must change, 0 if not.

    --fix changes nothing but names in imports, full names such as celery.result.AsyncResult, and brokers' URLs, and
    tells each line that it has changed; what it is not certain of it leaves and tells.
    """
    if target is not None and not fix:
        raise click.UsageError("--target is for --fix")
    if target is not None and not target.startswith(("grpc://", "grpcs://")):
        raise click.UsageError(f"--target is to be grpc://HOST:PORT, or grpcs:// for TLS, not {target!r}")
    project = Project.read(path)
    shown: list[Finding] = []
    if fix:
        for changed, text in project.rewritten(target).items():
            source = project.sources[changed]
            shown += _changes(changed, source.mark + source.text, text)
            changed.write_bytes(text.encode())
        project = Project.read(path)
    shown += project.findings()
    for finding in sorted(shown):
        click.echo(json.dumps(asdict(finding), ensure_ascii=False) if as_json else str(finding))
    counted = Counter(finding.level for finding in shown)
    if not as_json:
        total = len(project.sources) + len(project.texts) + len(project.unreadable)
        said = ", ".join(f"{counted[level]} {level}" for level in Level if level is not Level.FIXED or fix)
        click.echo(f"{total} files: {said}", err=True)
    raise click.exceptions.Exit(1 if counted[Level.MUST] else 0)


def _changes(path: Path, before: str, after: str) -> list[Finding]:
    """Give the lines that differ: rewriting keeps their number."""
    pairs = zip(before.splitlines(), after.splitlines(), strict=True)
    return [
        Finding(str(path), number, 1, Level.FIXED, old.strip(), new.strip())
        for number, (old, new) in enumerate(pairs, start=1)
        if old != new
    ]
