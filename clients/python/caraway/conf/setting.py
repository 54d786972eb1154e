"""Attributes that are settings: of an app, which may be assigned to, and of a task that says nothing itself."""

from typing import Any

from caraway.conf.options import OPTIONS

__all__ = ["FromConf", "app_setting", "task_setting"]


class _AppSetting:
    """An attribute of an app that reads and writes `app.conf`."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, app: Any, owner: type | None = None) -> Any:
        return self if app is None else app.conf.value(self._name)

    def __set__(self, app: Any, value: Any) -> None:
        app.conf[self._name] = value


def app_setting(name: str) -> Any:
    """Make an attribute of an app of a setting."""
    return _AppSetting(name)


class FromConf:
    """The default of a task's option: what its app's setting says when it is needed.

    An option of the decorator, or an attribute of the task's class, stands before it.
    """

    __slots__ = ("_setting",)

    def __init__(self, setting: str) -> None:
        """`setting` is its name."""
        self._setting = setting

    def __get__(self, task: Any, owner: type | None = None) -> Any:
        """The app's setting; of a class, or of a task that has no app yet, the setting's default."""
        app = None if task is None else vars(task).get("app")
        return OPTIONS[self._setting].default if app is None else app.conf.value(self._setting)


def task_setting(name: str) -> Any:
    """Make the default of a task's option of a setting."""
    return FromConf(name)
