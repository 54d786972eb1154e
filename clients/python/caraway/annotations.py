"""`task_annotations`: attributes that tasks are given by their names, from outside of their code."""

import pkgutil
from collections.abc import Iterable, Mapping
from typing import Any

from caraway.exceptions import ImproperlyConfigured

__all__ = ["attributes_for"]


def attributes_for(annotations: Any, task: Any) -> dict[str, Any]:
    """Give the attributes of a task: those for all tasks, and over them those for this one.

    `annotations` is a dict of attributes by names of tasks, "*" for all; or an object, or its class, that has
    `annotate(task)` and may have `annotate_any()`, each giving attributes or None; or where that is, as text; or a list
    of those, of which the first that gives some counts. Raises ImproperlyConfigured for anything else.
    """
    each = [_annotation(one) for one in _listed(annotations)]
    of_all = (one.annotate_any() for one in each if hasattr(one, "annotate_any"))
    for_all: Mapping[str, Any] = next(filter(None, of_all), {})
    for_one: Mapping[str, Any] = next(filter(None, (one.annotate(task) for one in each)), {})
    return {**for_all, **for_one}


class _Map:
    def __init__(self, attributes: Mapping[str, Mapping[str, Any]]) -> None:
        self._attributes = attributes

    def annotate(self, task: Any) -> Mapping[str, Any] | None:
        return self._attributes.get(task.name)

    def annotate_any(self) -> Mapping[str, Any] | None:
        return self._attributes.get("*")


def _listed(annotations: Any) -> Iterable[Any]:
    if annotations is None:
        return ()
    return annotations if isinstance(annotations, list | tuple) else (annotations,)


def _annotation(given: Any) -> Any:
    if isinstance(given, Mapping):
        return _Map(given)
    found = given
    if isinstance(given, str):
        try:
            found = pkgutil.resolve_name(given)
        except (ImportError, AttributeError, ValueError) as error:
            raise ImproperlyConfigured(f"task_annotations: {given!r} can't be found: {error}") from error
    if isinstance(found, type):
        found = found()
    if not hasattr(found, "annotate"):
        raise ImproperlyConfigured(f"task_annotations: {given!r} is no dict, and has no annotate(task)")
    return found
