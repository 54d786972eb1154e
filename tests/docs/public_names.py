"""Writes docs/celery-names.md: every name of Celery's reference, and what stands for it here: `make names`.

Settings, options and commands stand in docs/migrating.md with all that is said of them, and are listed from there. A
name of a module is the same where `import caraway` has it under the same path, or at its top; of all others this file
says why not.
"""

import json
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from caraway.migration.counterparts import counterpart
from docs.shipped_names import said

NAMES = json.loads(Path(__file__).with_name("celery_names.json").read_text())
PAGE = Path(__file__).resolve().parents[2] / "docs" / "celery-names.md"

Why = tuple[str, str]
"""Status, and what stands for it."""

_SCHEDULES = ("later", "schedules are not there yet: let cron or a systemd timer run `caraway call`")
_EVENTS = ("unneeded", "the gateway knows what happens: `caraway watch`, WatchTasks, metrics")
_HELPERS = ("unneeded", "a helper of Celery's own code; Python or a library has it")
_TIMES = ("unneeded", "`datetime` and `zoneinfo` have it; an instant carries its zone")
_MOVES = ("unneeded", "tasks are moved by `caraway retry`, and lie in one store")
_VERSIONS = ("unneeded", "`importlib.metadata.version('caraway')`, `caraway version`")
_PARTS = ("better", "middleware, signals and own commands: docs/extending.md; the worker's parts are not exchanged")
_LOG = ("unneeded", "`logging`; formats and colours are settings, the signals for the log are there")
_EVENTLET = ("unneeded", "eventlet is not supported; its programs run in the pool gevent: docs/worker.md")

MODULES: dict[str, Why] = {
    "celery.apps.worker": (
        "unneeded",
        "a worker is the command `caraway worker`; in tests `caraway.contrib.testing.worker`",
    ),
    "celery.beat": _SCHEDULES,
    "celery.bootsteps": _PARTS,
    "celery.contrib.migrate": _MOVES,
    "celery.events": _EVENTS,
    "celery.events.state": _EVENTS,
    "celery.loaders": ("unneeded", "modules are named by `include=` and `autodiscover_tasks()`"),
    "celery.local": _HELPERS,
    "celery.schedules": _SCHEDULES,
    "celery.utils": _HELPERS,
    "celery.utils.debug": (
        "unneeded",
        "a library such as psutil or memray has it; a worker's memory is in its metrics",
    ),
    "celery.utils.functional": _HELPERS,
    "celery.utils.log": _LOG,
    "celery.utils.time": _TIMES,
    "celery.worker": ("unneeded", "a worker is the command `caraway worker`"),
}
"""What is said of all names of a module that are not the same."""

NAMED: dict[str, Why] = {
    **dict.fromkeys(("SERIES", "VERSION", "VERSION_BANNER", "version_info", "version_info_t"), _VERSIONS),
    **dict.fromkeys(("beat_init", "beat_embedded_init"), _SCHEDULES),
    **dict.fromkeys(
        ("eventlet_pool_apply", "eventlet_pool_postshutdown", "eventlet_pool_preshutdown", "eventlet_pool_started"),
        _EVENTLET,
    ),
    "BackendError": ("same", "what it is said of here, an OperationalError, is one"),
    **dict.fromkeys(("BackendGetMetaError", "BackendStoreError"), ("same", "never raised: an OperationalError is")),
    "ChordError": ("same", "also an error of the class that the header's task raised"),
    "SecurityError": ("same", "what the gateway says against who calls, an Unauthenticated, is one"),
    "Terminated": ("same", "never raised: the task is revoked, or lost"),
    **dict.fromkeys(
        (
            "CDeprecationWarning",
            "CPendingDeprecationWarning",
            "CeleryWarning",
            "AlwaysEagerIgnored",
            "DuplicateNodenameWarning",
            "DuplicateTaskNameWarning",
            "FixupWarning",
            "NotConfigured",
            "SecurityWarning",
        ),
        ("same", "never given: warnings are UserWarning; what two functions claim is an error, AlreadyRegistered"),
    ),
    **dict.fromkeys(
        ("WorkerShutdown", "WorkerTerminate"),
        ("same", "never raised; `app.control.shutdown()` ends a worker"),
    ),
    **dict.fromkeys(("enable_trace", "disable_trace", "push_current_task", "pop_current_task", "appstr"), _HELPERS),
    "AppPickler": ("unneeded", "apps are not pickled: a worker's children import them"),
    "CELERY_RDB_HOST": ("better", "the variable `CARAWAY_RDB_HOST`, which names loopback addresses only"),
    "CELERY_RDB_PORT": ("better", "the variable `CARAWAY_RDB_PORT`"),
    "CeleryCommandException": ("unneeded", "click's own exceptions end a command"),
    "Context": ("better", "`caraway.request.Context`, which `self.request` is"),
    "Panel": ("better", "`control_command` and `inspect_command` of `caraway.worker.control`"),
    "Settings": ("better", "`caraway.conf.Configuration`, which `app.conf` is"),
    "Signal": ("better", "`caraway.dispatch.Signal`"),
    "bugreport": ("better", "`app.bugreport()`, `caraway report`"),
    "default_app": ("better", "`caraway.current_app`"),
    "execute": ("unneeded", "a task is called by `delay`, or by its name with `app.send_task`"),
    "filter_hidden_settings": ("better", "`app.conf.table()` leaves secrets out"),
    "find_app": ("better", "`caraway.loader.find_app`"),
    "log": _LOG,
    "maybe_patch_concurrency": ("unneeded", "the worker's pool gevent patches before your code is imported"),
    "messaging": ("unneeded", "there are no messages of a broker to be written"),
    "registry": ("better", "`app.tasks`"),
    "sanitize_url": _HELPERS,
    "subtask": ("better", "`signature`; Celery keeps this name for old programs"),
    "worker_before_create_process": ("unneeded", "no process of a worker forks another one"),
}
"""What is said of a name, in whichever module, or of one by its full name; also beside one that is the same."""

_HEAD = """\
<!-- Written by `make names`; tests hold it to Celery's own lists of names and to the code. Do not edit it. -->

# Celery's names

All names that Celery 5.7.0 has in its reference, and what becomes of each: its settings, its options, its commands,
and what its modules export, signals among them. `import celery` becomes `import caraway`, and `celery.x.y` is
`caraway.x.y`.

| word | meaning |
|---|---|
| same | the same name and meaning |
| better | there, in another form, which is said |
| renamed | there, under another name or in another place |
| unneeded | there is nothing to do, or something else does it, which is said |
| later, not there | not in this version, and what to do instead where there is something |

[Migrating from Celery](migrating.md) has what a program has to do about them, and `caraway migrate-check` finds them in
a project.
"""
_TITLES = {
    "settings": "Settings",
    "task_options": "Options of tasks",
    "call_options": "Options of calls",
    "commands": "Commands",
}


def why(module: str, name: str) -> Why:
    """What is said of an exported name. Raises LookupError where nothing is."""
    said = NAMED.get(f"{module}.{name}") or NAMED.get(name)
    if said is None and counterpart(f"{module}.{name}") is not None:
        return "same", ""
    return said or MODULES[module]


def _rows(names: Iterator[tuple[str, Why]]) -> Iterator[str]:
    for (status, here), group in groupby(names, key=lambda pair: pair[1]):
        yield f"| {', '.join(f'`{name}`' for name, _ in group)} | {status} | {here} |"


def page() -> str:
    """The whole page."""
    parts = [_HEAD]
    table = "| Celery | | here |\n|---|---|---|\n"
    for kind, rows in groupby(said(), key=lambda row: row.kind):
        told = ((row.name, (row.word, row.here)) for row in rows)
        parts.append(f"## {_TITLES[kind]}\n\n{table}" + "\n".join(_rows(told)) + "\n")
    parts.append("## Modules\n")
    for module, names in NAMES["public_names"].items():
        pairs = sorted(((name, why(module, name)) for name in names), key=lambda pair: (pair[1][0] != "same", pair[1]))
        parts.append(f"### {module}\n\n{table}" + "\n".join(_rows(iter(pairs))) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
