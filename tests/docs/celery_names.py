"""Writes the names of Celery's settings, options and commands, which docs/migrating.md says something of, one by one.

Run by a Python that has Celery, Django and cryptography, and pytest and Sphinx for what Celery has for them:
PYTHON tests/docs/celery_names.py > tests/docs/celery_names.json
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
from celery import canvas, result
from celery.app import autoretry, base, control, defaults
from celery.app.task import Context, Task, extract_exec_options
from celery.bin.celery import celery as root
from celery.worker.control import Panel

_MODULES = (
    "celery", "celery.app", "celery.app.amqp", "celery.app.annotations", "celery.app.autoretry", "celery.app.backends",
    "celery.app.builtins", "celery.app.control", "celery.app.defaults", "celery.app.events", "celery.app.log",
    "celery.app.registry", "celery.app.routes", "celery.app.task", "celery.app.trace", "celery.app.utils",
    "celery.apps.beat", "celery.apps.multi", "celery.apps.worker", "celery.beat", "celery.bin.base",
    "celery.bin.celery", "celery.bootsteps", "celery.canvas", "celery.contrib.abortable",
    "celery.contrib.django.task", "celery.contrib.migrate", "celery.contrib.pytest", "celery.contrib.rdb",
    "celery.contrib.sphinx", "celery.contrib.testing.app", "celery.contrib.testing.manager",
    "celery.contrib.testing.mocks", "celery.contrib.testing.tasks", "celery.contrib.testing.worker", "celery.events",
    "celery.events.cursesmon", "celery.events.dispatcher", "celery.events.dumper", "celery.events.event",
    "celery.events.receiver", "celery.events.snapshot", "celery.events.state", "celery.exceptions", "celery.loaders",
    "celery.loaders.app", "celery.loaders.base", "celery.loaders.default", "celery.local", "celery.result",
    "celery.schedules", "celery.security", "celery.signals", "celery.states", "celery.utils", "celery.utils.debug",
    "celery.utils.dispatch", "celery.utils.functional", "celery.utils.log", "celery.utils.time", "celery.worker",
    "celery.worker.autoscale", "celery.worker.components", "celery.worker.consumer", "celery.worker.consumer.agent",
    "celery.worker.consumer.connection", "celery.worker.consumer.consumer", "celery.worker.consumer.control",
    "celery.worker.consumer.events", "celery.worker.consumer.gossip", "celery.worker.consumer.heart",
    "celery.worker.consumer.mingle", "celery.worker.consumer.tasks", "celery.worker.control",
    "celery.worker.heartbeat", "celery.worker.loops", "celery.worker.pidbox", "celery.worker.request",
    "celery.worker.state", "celery.worker.strategy", "celery.worker.worker",
)  # fmt: skip

_BESIDE = {
    "celery.canvas": ("StampingVisitor", "maybe_subtask", "subtask"),
    "celery.contrib.testing.app": ("DEFAULT_TEST_CONFIG",),
    "celery.contrib.testing.worker": (
        "WORKER_LOGLEVEL",
        "test_worker_starting",
        "test_worker_started",
        "test_worker_stopped",
    ),
    "celery.result": ("allow_join_result", "denied_join_result"),
    "celery.schedules": ("BaseSchedule",),
    "celery.worker.control": ("control_command", "inspect_command"),
}
"""What the user guide has programs import and `__all__` leaves out."""


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
    """What the modules of Celery's reference export; of one that does not say, what it defines."""
    return {name: sorted(_names_of(importlib.import_module(name))) for name in _MODULES}


def _names_of(module: Any) -> set[str]:
    names = getattr(module, "__all__", None)
    if not names:
        names = [name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__]
    beside = _BESIDE.get(module.__name__, ())
    assert all(hasattr(module, name) for name in beside), module
    return {name for name in (*names, *beside) if name.isidentifier() and name[0] != "_"}


def members() -> dict[str, list[str]]:
    """Of instances of what programs have in hand; of signatures without those of a dict."""
    app = celery.Celery("any")
    described = {
        "Celery": app,
        "Task": app.Task,
        "Context": Context(),
        "AsyncResult": app.AsyncResult("any"),
        "ResultSet": app.ResultSet([]),
        "GroupResult": app.GroupResult("any", []),
        "EagerResult": result.EagerResult("any", 1, "SUCCESS"),
        "Signature": canvas.Signature,
        "chain": canvas._chain,
        "group": canvas.group,
        "chord": canvas.chord,
        "chunks": canvas.chunks,
        "xmap": canvas.xmap,
        "xstarmap": canvas.xstarmap,
        "Control": control.Control,
        "Inspect": control.Inspect,
    }
    return {kind: sorted(_members_of(value)) for kind, value in described.items()}


def _members_of(value: Any) -> set[str]:
    inherited = dir(dict) if isinstance(value, type) and issubclass(value, dict) else ()
    return {name for name in dir(value) if name[0] != "_"} - set(inherited)


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


def short_options(command: click.Command, path: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The long name that each short one of a command's options stands for."""
    options = [found.opts for found in command.params if isinstance(found, click.Option)]
    known = {
        short: next(name for name in names if name.startswith("--"))
        for names in options
        for short in names
        if not short.startswith("--")
    }
    if known:
        yield path, dict(sorted(known.items()))
    for name, sub in sorted(getattr(command, "commands", {}).items()):
        yield from short_options(sub, f"{path} {name}")


json.dump(
    {
        "version": celery.__version__,
        "settings": sorted(settings(defaults.NAMESPACES)),
        "old_settings": old_settings(),
        "public_names": public_names(),
        "members": members(),
        "task_options": sorted(task_options()),
        "call_options": sorted(call_options()),
        "commands": dict(commands(root, "celery")),
        "short_options": dict(short_options(root, "celery")),
    },
    sys.stdout,
    indent=1,
)
print()
