"""What the worker prints at its start."""

import logging
from importlib.metadata import version

from caraway_worker.catalog import Catalog
from caraway_worker.pools import pool_named
from caraway_worker.settings import Settings

TASKS_SHOWN = 50


def banner(settings: Settings, catalog: Catalog, target: str, queues: tuple[str, ...]) -> str:
    """Return the text: who, where to, how much, and which tasks were found."""
    names = sorted(task.name for task in catalog.tasks)
    lines = [
        "",
        f" {settings.name}  (caraway {version('caraway')})",
        "",
        f"  app:          {catalog.app}",
        f"  target:       {target}",
        f"  queues:       {', '.join(queues)}",
        f"  concurrency:  {_concurrency(settings)}",
        f"  log level:    {logging.getLevelName(settings.log_level)}",
        "",
        f"[tasks] {len(names)}",
        *(f"  . {name}" for name in names[:TASKS_SHOWN]),
    ]
    if len(names) > TASKS_SHOWN:
        lines.append(f"  ... and {len(names) - TASKS_SHOWN} more")
    return "\n".join([*lines, ""])


def _concurrency(settings: Settings) -> str:
    count = str(settings.children * settings.slots)
    if settings.autoscale is not None and settings.scales:
        most, fewest = settings.autoscale
        count = f"{fewest} to {most}"
    spread = f", {settings.processes} processes" if settings.processes > 1 else ""
    return f"{count} ({pool_named(settings.pool).name}{spread})"
