"""Imports of Celery: what becomes of each, and the edits that rewrite those that are certain."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from caraway.migration.counterparts import counterpart
from caraway.migration.finding import Finding, Level
from caraway.migration.names import find
from caraway.migration.source import Edit, Source, is_celery

__all__ = ["check_imports", "import_edits"]

_NEIGHBOURS: Final = {
    "kombu": "queues need no declaration, and there are no exchanges: name queues as text, and serializers by name",
    "billiard": "children are plain processes: take the standard library's multiprocessing",
    "django_celery_beat": "schedules are not there yet",
    "django_celery_results": "the gateway keeps all results; caraway.contrib.django has what else is for Django",
    "flower": "caraway list, watch and inspect, and the gateway's metrics",
    "celery_once": "unique tasks are built in: @app.task(unique=True)",
    "celery_singleton": "unique tasks are built in: @app.task(unique=True)",
    "redbeat": "schedules are not there yet",
}
_NAMED_IN_TEXT: Final = re.compile(r"celery(\.[a-z_]\w*)+(\.[A-Z]\w*)?")
_FROM: Final = re.compile(r"from[\s\\]+(celery[\w.]*)")


def check_imports(source: Source) -> Iterator[Finding]:
    """Find imports and full names of Celery's, and of packages that stand on it."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from _check_import(source, node)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            yield from _check_import_from(source, node, node.module)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _NAMED_IN_TEXT.fullmatch(node.value):
            yield source.finding(node, Level.MUST, repr(node.value), "a text that names a module of Celery's")
    for use in _uses(source):
        dotted = source.resolve(use)
        if dotted and counterpart(dotted) is None:
            yield source.finding(use, Level.MUST, dotted, _why_not(dotted))


def _check_import(source: Source, node: ast.Import) -> Iterator[Finding]:
    for alias in node.names:
        if is_celery(alias.name):
            yield source.finding(alias, Level.MUST, f"import {alias.name}", _advice(alias.name))
        elif (package := alias.name.partition(".")[0]) in _NEIGHBOURS:
            yield source.finding(alias, Level.MUST, f"import {alias.name}", _NEIGHBOURS[package])


def _check_import_from(source: Source, node: ast.ImportFrom, module: str) -> Iterator[Finding]:
    if not is_celery(module):
        if (package := module.partition(".")[0]) in _NEIGHBOURS:
            yield source.finding(node, Level.MUST, f"from {module} import", _NEIGHBOURS[package])
        return
    for alias in node.names:
        dotted = f"{module}.{alias.name}"
        text = _advice(dotted) if alias.name != "*" else "name what is needed: a star can't be followed"
        yield source.finding(alias, Level.MUST, f"from {module} import {alias.name}", text)


def _advice(dotted: str) -> str:
    found = counterpart(dotted)
    if found is None:
        return _why_not(dotted)
    module, name = found
    return f"from {module} import {name}" if name else f"import {module}"


def _why_not(dotted: str) -> str:
    known = find("name", dotted)
    return known.advice if known is not None else "there is nothing by this name here; docs/migrating.md may say more"


def _uses(source: Source) -> Iterator[ast.expr]:
    """Give the longest expressions that are full names of Celery's, as in celery.result.AsyncResult(...)."""
    inner = {id(node.value) for node in ast.walk(source.tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and id(node) not in inner and _root(node) in source.bindings:
            dotted = source.resolve(node)
            if dotted and _is_of_module(source, node):
                yield node


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_of_module(source: Source, node: ast.Attribute) -> bool:
    """Whether the name that it begins with is that of a module, and not of a class that was imported from one."""
    dotted = source.bindings[_root(node)]
    return dotted == "celery" or (counterpart(dotted) or ("", "?"))[1] == ""


# Rewriting


def import_edits(source: Source) -> Iterator[Edit]:
    """Give the edits of all imports that have a counterpart, and of the full names that go with them."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from _import_edits(source, node)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module and is_celery(node.module):
            yield from _import_from_edits(source, node, node.module)


def _import_from_edits(source: Source, node: ast.ImportFrom, module: str) -> Iterator[Edit]:
    """All names of the statement go to one module, under their own names, or it is left as it is."""
    found = [counterpart(f"{module}.{alias.name}") for alias in node.names]
    targets = {(each[0] if each[1] else each[0].rpartition(".")[0]) if each is not None else None for each in found}
    target = targets.pop()
    start, end = source.span(node)
    matched = _FROM.match(source.text[start:end])
    if target and not targets and matched and matched[1] == module:
        yield Edit(start + matched.start(1), start + matched.end(1), target)


def _import_edits(source: Source, node: ast.Import) -> Iterator[Edit]:
    for alias in node.names:
        if not is_celery(alias.name) or counterpart(alias.name) is None:
            continue
        start, _ = source.span(alias)
        end = start + len(alias.name)
        new = "caraway" + alias.name.removeprefix("celery")
        if alias.asname:
            yield Edit(start, end, new)
        elif any(counterpart(source.resolve(use) or "celery") is None for use in _uses(source)):
            continue  # some of what is used by its full name would be missing
        elif not _rebinds(source):
            yield Edit(start, end, new)
            yield from (Edit(at, at + len("celery"), "caraway") for at in _roots(source))
        elif alias.name == "celery":
            yield Edit(start, end, "caraway as celery")


def _rebinds(source: Source) -> bool:
    """Whether the name `celery` is also that of something else in the module."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and node.id == "celery" and not isinstance(node.ctx, ast.Load):
            return True
        if isinstance(node, ast.arg) and node.arg == "celery":
            return True
        if isinstance(node, ast.Global | ast.Nonlocal) and "celery" in node.names:
            return True
        if isinstance(node, ast.ImportFrom) and any((each.asname or each.name) == "celery" for each in node.names):
            return True
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == "celery":
            return True
    return False


def _roots(source: Source) -> Iterator[int]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and node.id == "celery":
            yield source.span(node)[0]
