"""Writes the names of Celery's settings, options and commands, which docs/migrating.md says something of, one by one.

Run by a Python that has Celery:  PYTHON tests/docs/celery_names.py > tests/docs/celery_names.json
"""

import importlib
import inspect
import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import celery
import click
from celery.app import autoretry, base, defaults
from celery.app.task import Context, Task, extract_exec_options
from celery.bin.celery import celery as root
from celery.worker.control import Panel

_MODULES = (
    "celery", "celery.app", "celery.app.registry", "celery.app.task", "celery.app.utils", "celery.apps.worker",
    "celery.beat", "celery.bootsteps", "celery.canvas", "celery.contrib.abortable", "celery.contrib.migrate",
    "celery.contrib.rdb", "celery.events", "celery.events.state", "celery.exceptions", "celery.loaders",
    "celery.local", "celery.result", "celery.schedules", "celery.signals", "celery.states", "celery.utils",
    "celery.utils.debug", "celery.utils.dispatch", "celery.utils.functional", "celery.utils.log",
    "celery.utils.time", "celery.worker", "celery.worker.control",
)  # fmt: skip


def settings(namespace: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in namespace.items():
        if isinstance(value, defaults.Option):
            yield prefix + name
        else:
            yield from settings(value, f"{prefix}{name}_")


def old_settings() -> dict[str, str]:
    """Names from before Celery 4, where they are other than today's in capitals."""
    new = {old: name for old, name, _ in defaults.flatten(defaults.NAMESPACES, keyfilter=defaults._to_compat)}
    return {old: name for old, name in sorted(new.items()) if old.lower() != name}


def public_names() -> dict[str, list[str]]:
    """What the modules of Celery's reference export."""
    return {
        name: sorted(each for each in importlib.import_module(name).__all__ if each.isidentifier() and each[0] != "_")
        for name in _MODULES
    }


def attributes() -> dict[str, list[str]]:
    """Those of an app, of a task and of its request; shipped as caraway/migration/attributes.json."""
    app = celery.Celery("any")
    described = {"app": app, "task": app.Task, "request": Context()}
    return {kind: sorted(name for name in dir(value) if name[0] != "_") for kind, value in described.items()}


def parameters(function: Any) -> set[str]:
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    found = inspect.signature(function).parameters.values()
    return {parameter.name for parameter in found if parameter.kind not in kinds} - {"self", "fun", "args", "kwargs"}


def task_options() -> set[str]:
    """Attributes of a task's class, and what the decorator takes beside them."""
    attributes = {name for name, value in vars(Task).items() if name[0] != "_" and not hasattr(value, "__get__")}
    retries = set(re.findall(r"options\.get\(\s*'(\w+)'", inspect.getsource(autoretry)))
    decorator = set(
        re.findall(r"(\w+)=", re.search(r"def inner_create_task_cls\(([^)]*)\)", inspect.getsource(base))[1])
    )
    sent = set(inspect.getclosurevars(extract_exec_options).nonlocals["attrs"])
    return attributes | retries | decorator | sent | parameters(base.Celery._task_from_fun)


def call_options() -> set[str]:
    documented = set(re.findall(r"^\s+(\w+) \(", Task.apply_async.__doc__, re.MULTILINE)) - {"args", "kwargs"}
    return documented | parameters(Task.apply_async) | parameters(base.Celery.send_task) - {"name"}


def commands(command: click.Command, path: str) -> Iterator[tuple[str, list[str]]]:
    options = [
        next(name for name in found.opts if name.startswith("--"))
        for found in command.params
        if isinstance(found, click.Option)
    ]
    yield path, sorted(options)
    for name, sub in sorted(getattr(command, "commands", {}).items()):
        yield from commands(sub, f"{path} {name}")
    for name in sorted(name for name, meta in Panel.meta.items() if path == f"celery {meta.type}"):
        yield f"{path} {name}", []


json.dump(
    {
        "version": celery.__version__,
        "settings": sorted(settings(defaults.NAMESPACES)),
        "attributes": attributes(),
        "old_settings": old_settings(),
        "public_names": public_names(),
        "task_options": sorted(task_options()),
        "call_options": sorted(call_options()),
        "commands": dict(commands(root, "celery")),
    },
    sys.stdout,
    indent=1,
)
print()
