"""Names of tasks that are given none."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["gen_task_name", "name_of"]


def gen_task_name(main: str | None, name: str, module: str) -> str:
    """Name a task after its function and module.

    In a program's main module it is `main`, or else the file's name: a worker imports the program as a module, and
    finds its tasks under that module's name.
    """
    if module == "__main__":
        file = getattr(sys.modules.get("__main__"), "__file__", None)
        module = main or (Path(file).stem if file else module)
    return f"{module}.{name}" if module else name


def name_of(app: Any, function: Callable[..., Any]) -> str:
    """Name the task of a function, or of a class, as `app` does; None: no app is there yet."""
    name, module = function.__name__, function.__module__
    named: str = gen_task_name(None, name, module) if app is None else app.gen_task_name(name, module)
    return named
