"""Apps, tasks and calls of tasks: their options, and what means something else."""

import ast
from collections.abc import Iterator, Set
from typing import Final, cast

from caraway.migration.attributes import is_app
from caraway.migration.finding import Finding, Level
from caraway.migration.names import find
from caraway.migration.source import Source, is_gateway
from caraway.migration.traps import ENDING_STATE, ETA, LATE, NAIVE_ETA, PRIORITY, UNKNOWN_ID
from caraway.states import READY_STATES

__all__ = ["broker_arguments", "check_calls", "names_of_apps"]

_APPS: Final = frozenset({"celery.Celery", "celery.app.Celery", "celery.app.base.Celery", "celery.Caraway"})
_SHARED: Final = frozenset({"celery.shared_task", "celery.app.shared_task"})
_SENDS: Final = frozenset({"apply_async", "send_task", "aapply_async", "asend_task"})
_URL: Final = "the address of the gateway, grpc://host:port, stands in the place of the broker's URL"


def names_of_apps(source: Source) -> Iterator[str]:
    """Give the names that apps are given where they are made."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _makes_app(source, node.value):
            yield from (_last_name(target) for target in node.targets)


def _makes_app(source: Source, call: ast.Call) -> bool:
    return source.resolve(call.func) in _APPS


def check_calls(source: Source, apps: Set[str], late_by_setting: bool) -> Iterator[Finding]:
    """Find what is to be changed or known.

    Arguments: `apps` are the names of the project's apps; `late_by_setting`: its settings say task_acks_late.
    """
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if _makes_task(source, decorator, apps):
                    yield from _check_task(source, decorator, node.name, late_by_setting)
        elif isinstance(node, ast.ClassDef) and any(_is_task_class(source, base) for base in node.bases):
            yield from _check_class(source, node)
        elif isinstance(node, ast.Call):
            yield from _check_call(source, node, apps)


# Tasks


def _makes_task(source: Source, decorator: ast.expr, apps: Set[str]) -> bool:
    named = decorator.func if isinstance(decorator, ast.Call) else decorator
    if source.resolve(named) in _SHARED:
        return True
    return isinstance(named, ast.Attribute) and named.attr == "task" and _is_app(named.value, apps)


def _is_app(owner: ast.expr, apps: Set[str]) -> bool:
    name = _last_name(owner)
    return name in apps or "app" in name.lower() or "celery" in name.lower()


def _last_name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _check_task(source: Source, decorator: ast.expr, name: str, late_by_setting: bool) -> Iterator[Finding]:
    call = decorator if isinstance(decorator, ast.Call) else None
    keywords = call.keywords if call else []
    yield from _check_options(source, keywords, "task option")
    if not late_by_setting and all(keyword.arg not in ("acks_late", None) for keyword in keywords):
        yield source.finding(decorator, Level.MEANING, name, LATE)


def _is_task_class(source: Source, base: ast.expr) -> bool:
    dotted = source.resolve(base)
    return dotted is not None and dotted.rpartition(".")[2] == "Task"


def _check_class(source: Source, node: ast.ClassDef) -> Iterator[Finding]:
    for statement in node.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        for target in targets:
            if isinstance(target, ast.Name) and (known := find("task option", target.id)) and known.level:
                yield source.finding(target, known.level, target.id, known.advice)


def _check_options(source: Source, keywords: list[ast.keyword], kind: str) -> Iterator[Finding]:
    for keyword in keywords:
        if keyword.arg is None:
            continue
        known = find(kind, keyword.arg)
        if known is not None and known.level:
            yield source.finding(keyword, known.level, f"{keyword.arg}=", known.advice)
        elif keyword.arg == "priority":
            yield source.finding(keyword, Level.MEANING, "priority=", PRIORITY)


# Calls


def _check_call(source: Source, call: ast.Call, apps: Set[str]) -> Iterator[Finding]:
    dotted = source.resolve(call.func)
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if _makes_app(source, call):
        yield from _check_app(source, call)
    elif (dotted or method).rpartition(".")[2] == "AsyncResult":
        yield source.finding(call, Level.MEANING, "AsyncResult", UNKNOWN_ID)
    elif method in _SENDS:
        yield from _check_options(source, call.keywords, "call option")
        yield from _check_eta(source, call)
    elif method == "update_state":
        yield from _check_state(source, call)
    elif method in ("retry", "set", "signature", "subtask"):
        yield from _check_eta(source, call)
    elif method == "add_periodic_task" and not is_app(source, cast(ast.Attribute, call.func).value, apps):
        # What it is called on is an app, whatever its name: in receivers of on_after_configure it is `sender`.
        known = find("member", f"app.{method}")
        yield source.finding(call, Level.MUST, f"{method}()", known.advice if known else "it is not there")


def _check_state(source: Source, call: ast.Call) -> Iterator[Finding]:
    for keyword in call.keywords:
        named = keyword.value.value if isinstance(keyword.value, ast.Constant) else _last_name(keyword.value)
        if keyword.arg == "state" and named in READY_STATES:
            yield source.finding(keyword, Level.MUST, "update_state()", ENDING_STATE)


def _check_eta(source: Source, call: ast.Call) -> Iterator[Finding]:
    for keyword in call.keywords:
        if keyword.arg != "eta":
            continue
        if _is_naive(keyword.value):
            yield source.finding(keyword, Level.MUST, "eta=", NAIVE_ETA)
        elif not _has_zone(keyword.value):
            yield source.finding(keyword, Level.MEANING, "eta=", ETA)


def _instants(value: ast.expr) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(value):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            yield node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id, node


def _is_naive(value: ast.expr) -> bool:
    """Whether it is certain that no zone is in it."""
    for name, call in _instants(value):
        if name == "utcnow":
            return True
        if name == "now" and not call.args and not call.keywords:
            # Django's timezone.now() has a zone.
            owner = call.func.value if isinstance(call.func, ast.Attribute) else None
            return not (isinstance(owner, ast.Name) and owner.id == "timezone")
    return False


def _has_zone(value: ast.expr) -> bool:
    """Whether it is certain that a zone is in it."""
    named = {node.id if isinstance(node, ast.Name) else getattr(node, "attr", "") for node in ast.walk(value)}
    keywords = {node.arg for node in ast.walk(value) if isinstance(node, ast.keyword)}
    return bool(named & {"utc", "UTC", "timezone", "ZoneInfo", "localtime", "make_aware"} or "tzinfo" in keywords)


# Apps


def _check_app(source: Source, call: ast.Call) -> Iterator[Finding]:
    for keyword in call.keywords:
        if keyword.arg == "broker":
            if not is_gateway(keyword.value):
                yield source.finding(keyword, Level.MUST, "broker=", _URL)
            continue
        setting = {"backend": "result_backend"}.get(keyword.arg or "", keyword.arg or "")
        known = find("setting", setting)
        if known is not None and known.level:
            yield source.finding(keyword, known.level, f"{keyword.arg}=", known.advice)


def broker_arguments(source: Source) -> Iterator[ast.Constant]:
    """Give the brokers' URLs that stand as plain texts in calls that make apps."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and _makes_app(source, node):
            for keyword in node.keywords:
                value = keyword.value
                if keyword.arg == "broker" and isinstance(value, ast.Constant) and not is_gateway(value):
                    yield value
