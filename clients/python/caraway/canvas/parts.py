"""What signatures are put together from: their dict form, their options, what is linked to them."""

from collections.abc import Mapping
from typing import Any

__all__ = ["copied", "linked", "members_of", "taken"]


def copied(form: Mapping[str, Any]) -> dict[str, Any]:
    """Copy a signature's dict form, complete; what its arguments hold is not copied."""
    made = {"args": (), "kwargs": {}, "options": {}, "subtask_type": None, "immutable": False, **form}
    made["kwargs"] = dict(made["kwargs"] or {})
    made["options"] = dict(made["options"] or {})
    return made


def members_of(tasks: tuple[Any, ...]) -> Any:
    """Give what a canvas is made of: its arguments, or the one iterable that they are."""
    return tasks[0] if len(tasks) == 1 and not isinstance(tasks[0], Mapping) else tasks


def linked(options: Mapping[str, Any], option: str) -> list[Any]:
    """List the signatures of an option that takes one or many."""
    value = options.get(option)
    if value is None:
        return []
    return [value] if isinstance(value, Mapping) else list(value)


def taken(options: Any) -> tuple[dict[str, Any], list[Any], list[Any]]:
    """Take from a canvas's options what its tasks get: options but its own id, callbacks, errbacks."""
    handed = {name: options.pop(name) for name in list(options) if name != "task_id"}
    callbacks, errbacks = linked(handed, "link"), linked(handed, "link_error")
    handed.pop("link", None)
    handed.pop("link_error", None)
    return handed, callbacks, errbacks
