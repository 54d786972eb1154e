"""Settings of Celery's: on app.conf, in dicts, in modules and classes that the app is configured from."""

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from caraway.conf.names import misspelt
from caraway.migration.finding import Finding, Level
from caraway.migration.names import Name, find
from caraway.migration.old_settings import current_name
from caraway.migration.source import Source, is_gateway, text_of
from caraway.migration.traps import PRIORITY

__all__ = ["Configured", "check_settings", "configured_by", "is_late", "url_settings"]

_URLS: Final = frozenset({"broker_url", "broker_read_url", "broker_write_url"})
_PRIORITIES: Final = frozenset({"task_default_priority"})

Configured = tuple[str, str]
"""A module's name, and the prefix of settings in it, such as "CELERY_"; or none."""

Place = tuple[ast.expr | ast.keyword, str, ast.expr | None]
"""Where a setting stands, its name as it is written, and its value."""


def configured_by(source: Source) -> Iterator[Configured]:
    """Give the modules that apps are configured from: config_from_object("module", namespace="CELERY")."""
    for node in ast.walk(source.tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        texts = [text_of(argument) for argument in node.args]
        if node.func.attr == "config_from_object" and texts and texts[0]:
            namespace = next((text_of(each.value) for each in node.keywords if each.arg == "namespace"), "")
            yield texts[0].partition(":")[0], f"{namespace}_" if namespace else ""
        elif node.func.attr == "setdefault" and len(texts) == 2 and texts[0] == "DJANGO_SETTINGS_MODULE":
            yield texts[1], "CELERY_"


def check_settings(source: Source, prefixes: Iterable[str]) -> Iterator[Finding]:
    """Find settings; `prefixes` are those of the names in this module, if apps are configured from it."""
    for node, written, value in [*_on_conf(source), *_in_module(source, set(prefixes))]:
        known, current = _known(written)
        if known is None:
            if meant := misspelt(current):
                yield source.finding(node, Level.MUST, written, f"no setting has this name, which is refused: {meant}?")
            continue
        if current != written.lower():
            yield source.finding(node, Level.MUST, written, f"an old name, of Celery 3: it is {current} now")
        if current in _URLS:
            if not is_gateway(value):
                yield source.finding(node, Level.MUST, written, known.advice)
        elif known.level:
            yield source.finding(node, known.level, written, known.advice)
        elif current in _PRIORITIES:
            yield source.finding(node, Level.MEANING, written, PRIORITY)


def is_late(source: Source, prefixes: Iterable[str]) -> bool:
    """Whether the settings say task_acks_late, either way: then its author has thought of it."""
    places = [*_on_conf(source), *_in_module(source, set(prefixes))]
    return any(_known(written)[1] == "task_acks_late" for _, written, _ in places)


def url_settings(source: Source, prefixes: Iterable[str]) -> Iterator[ast.Constant]:
    """Give brokers' URLs that stand as plain texts."""
    for _, written, value in [*_on_conf(source), *_in_module(source, set(prefixes))]:
        if _known(written)[1] == "broker_url" and isinstance(value, ast.Constant) and not is_gateway(value):
            yield value


def _known(written: str) -> tuple[Name | None, str]:
    current = current_name(written)
    return find("setting", current), current


# Where settings stand


def _on_conf(source: Source) -> Iterator[Place]:
    """app.conf.x = ..., app.conf["x"] = ..., app.conf.update(x=..., ...), app.config_from_object({...})."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield from _target_on_conf(target, node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "update" and _is_conf(node.func.value):
                for keyword in node.keywords:
                    if keyword.arg:
                        yield keyword, keyword.arg, keyword.value
                yield from _in_dicts(node.args)
            elif node.func.attr == "config_from_object":
                yield from _in_dicts(node.args)


def _target_on_conf(target: ast.expr, value: ast.expr | None) -> Iterator[Place]:
    if isinstance(target, ast.Attribute) and _is_conf(target.value):
        yield target, target.attr, value
    elif isinstance(target, ast.Subscript) and _is_conf(target.value) and isinstance(target.slice, ast.Constant):
        yield target, str(target.slice.value), value
    elif isinstance(target, ast.Attribute) and target.attr == "conf" and value is not None:
        yield from _in_dicts([value])


def _is_conf(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "conf"


def _in_dicts(values: Iterable[ast.expr]) -> Iterator[Place]:
    for value in values:
        if isinstance(value, ast.Dict):
            for key, inner in zip(value.keys, value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key, key.value, inner


def _in_module(source: Source, prefixes: set[str]) -> Iterator[Place]:
    """Give the assignments of a module that an app is configured from; and those of a class that it is given."""
    classes = {
        node.args[0].id
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "config_from_object"
        and node.args
        and isinstance(node.args[0], ast.Name)
    }
    for node in source.tree.body:
        if prefixes:
            yield from _assigned(node, prefixes)
        if isinstance(node, ast.ClassDef) and node.name in classes:
            for statement in node.body:
                yield from _assigned(statement, {""})


def _assigned(node: ast.stmt, prefixes: set[str]) -> Iterator[Place]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    for target in targets:
        if not isinstance(target, ast.Name):
            continue
        for prefix in prefixes:
            if target.id.startswith(prefix) and _known(target.id.removeprefix(prefix))[0] is not None:
                yield target, target.id.removeprefix(prefix), value
                break
