"""Attributes of Celery's apps, tasks, requests and control: those that a program uses and that are not here."""

import ast
import json
from collections.abc import Iterator, Mapping, Set
from functools import cache
from importlib import resources

from caraway.app import Caraway
from caraway.control import Control
from caraway.inspection import Inspect
from caraway.migration.finding import Finding, Level
from caraway.migration.names import find
from caraway.migration.source import Source
from caraway.request import Context
from caraway.task import Task

__all__ = ["check_attributes", "is_app", "missing"]


@cache
def missing() -> Mapping[str, Set[str]]:
    """What Celery's app, task and request have, as attributes.json lists it, and ours have not."""
    theirs: dict[str, list[str]] = json.loads(
        resources.files(__package__).joinpath("attributes.json").read_text("utf-8")
    )
    app = Caraway("any", set_as_current=False)
    ours = {
        "app": {*dir(Caraway), *vars(app)},
        "task": {*dir(Task), *vars(Task)},
        "request": {*dir(Context)},
        "control": {*dir(Control)},
        "inspect": {*dir(Inspect), *vars(app.control.inspect())},
    }
    return {kind: {*theirs[kind]} - names for kind, names in ours.items()}


def check_attributes(source: Source, apps: Set[str]) -> Iterator[Finding]:
    """Find what apps, app.control, inspect(), and in tasks given to their functions self and self.request, have not."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute):
            if kind := _kind_of(source, node.value, apps):
                yield from _told(source, node, kind)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_bound(node):
            yield from _check_body(source, node, node.args.args[0].arg)


def _check_body(source: Source, function: ast.FunctionDef | ast.AsyncFunctionDef, task: str) -> Iterator[Finding]:
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            if owner == task:
                yield from _told(source, node, "task")
            elif owner == f"{task}.request":
                yield from _told(source, node, "request")


def _told(source: Source, node: ast.Attribute, kind: str) -> Iterator[Finding]:
    if node.attr in missing()[kind]:
        name = f"{kind}.{node.attr}"
        known = find("member", name) or find("task option", node.attr)
        yield source.finding(node, Level.MUST, name, known.advice if known else f"there is no {name} here")


def _kind_of(source: Source, owner: ast.expr, apps: Set[str]) -> str:
    if is_app(source, owner, apps):
        return "app"
    if isinstance(owner, ast.Attribute) and owner.attr == "control":
        return "control"
    made = owner.func if isinstance(owner, ast.Call) else None
    return "inspect" if isinstance(made, ast.Attribute) and made.attr == "inspect" else ""


def is_app(source: Source, owner: ast.expr, apps: Set[str]) -> bool:
    """Whether it is certain that an expression is an app; `apps` are the names of the project's."""
    return (isinstance(owner, ast.Name) and owner.id in apps) or source.resolve(owner) == "celery.current_app"


def _is_bound(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it is made a task with bind=True."""
    keywords = (each for call in function.decorator_list if isinstance(call, ast.Call) for each in call.keywords)
    bound = any(
        each.arg == "bind" and isinstance(each.value, ast.Constant) and each.value.value is True for each in keywords
    )
    return bound and bool(function.args.args)
