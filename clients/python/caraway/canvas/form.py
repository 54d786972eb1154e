"""Form: what a signature holds, and how it is shown."""

from typing import Any, cast

from caraway.spec import CallOptions

__all__ = ["Form"]


class Form(dict[str, Any]):
    """The dict that a signature is."""

    @property
    def task(self) -> str:
        """The task's name."""
        return cast(str, self["task"])

    name = task

    @property
    def args(self) -> tuple[Any, ...]:
        """Its positional arguments."""
        return tuple(self.get("args") or ())

    @property
    def kwargs(self) -> dict[str, Any]:
        """Its keyword arguments."""
        return cast(dict[str, Any], self.setdefault("kwargs", {}))

    @property
    def options(self) -> CallOptions:
        """Options of `apply_async`."""
        return cast(CallOptions, self.setdefault("options", {}))

    @property
    def subtask_type(self) -> str | None:
        """None, or the kind of canvas that it is: "chain", "group" ..."""
        return cast(str | None, self.get("subtask_type"))

    @property
    def immutable(self) -> bool:
        """True if later arguments are left out."""
        return bool(self.get("immutable"))

    @property
    def id(self) -> str | None:
        """The id that its task will have, once `freeze` has chosen it."""
        return self.options.get("task_id")

    def __repr__(self) -> str:
        """As a call: proj.add(2, 2)."""
        return self.shown()

    @property
    def module(self) -> str:
        """What its task's name begins with, up to the last dot: left out where others stand beside it."""
        return self.task.rpartition(".")[0]

    def shown(self, module: str = "", first: str = "") -> str:
        """Show it, without the name of `module`; `first` is shown before its arguments."""
        name = self.task.removeprefix(f"{module}.") if module else self.task
        shown = [first] if first else []
        shown += [repr(value) for value in self.args] + [f"{key}={value!r}" for key, value in self.kwargs.items()]
        return f"{name}({', '.join(shown)})"
