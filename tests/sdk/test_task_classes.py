"""Tasks as classes: bases, app-wide bases, classes with a body of their own."""

from typing import Any

import pytest

from caraway import Caraway, Task
from caraway.exceptions import ImproperlyConfigured, Retry
from caraway.request import Context, pop, push


class Counting(Task[..., Any]):
    """Says how often it was made, and counts its calls."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1
        self.calls = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return self.run(*args, **kwargs)


def test_a_base_is_made_once_a_task_and_may_wrap_the_call() -> None:
    app = Caraway("proj")
    before = Counting.made
    double: Any = app.task(base=Counting)(lambda x: 2 * x)
    assert (double(4), double(5), double.calls, Counting.made - before) == (8, 10, 2, 1)


def test_the_app_names_the_base_of_its_tasks() -> None:
    for app in (Caraway("proj", task_cls=Counting), Caraway("proj", task_cls=f"{__name__}:Counting"), Caraway("proj")):
        app.Task = app.Task if app.Task is not Task else Counting
        assert isinstance(app.task(lambda: None), Counting)
        other = app.task(base=Task, name="other")(lambda: None)
        assert type(other) is Task

        class Special(app.Task):  # type: ignore[name-defined, misc]
            pass

        assert issubclass(Special, Counting)
    with pytest.raises(ImproperlyConfigured, match=r"'no\.such:Base' can't be found"):
        Caraway("proj", task_cls="no.such:Base").task(lambda: None)


class Add(Task[..., int]):
    """Adds."""

    max_retries = 7

    def run(self, x: int, y: int) -> int:
        if x < 0:
            raise self.retry(countdown=1)
        return x + y


def test_a_class_with_run_is_a_task() -> None:
    app = Caraway("proj")
    add = app.register_task(Add())
    assert (add.name, add(1, 2), app.tasks[add.name]) == (f"{__name__}.Add", 3, add)
    assert isinstance(app.register_task(Add), Add)
    with pytest.raises(TypeError, match="missing a required argument: 'y'"):
        add.delay(1)
    token = push(Context(id="id", task=add.name))
    try:
        with pytest.raises(Retry):
            add(-1, 0)
    finally:
        pop(token)


def test_a_class_may_name_itself_and_take_options_when_it_is_registered() -> None:
    app = Caraway("proj")

    class Named(Task[..., Any]):
        name = "own.name"

        async def run(self) -> None:
            raise OSError("down")

    named = app.register_task(Named(), queue="mail", autoretry_for=(OSError,))
    assert (app.tasks["own.name"], named.queue, named.is_async) == (named, "mail", True)
    with pytest.raises(TypeError, match="max_retry"):
        app.register_task(Named(), max_retry=3)


def test_a_class_without_run_says_what_is_missing() -> None:
    class Empty(Task[..., Any]):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty is to define run\(\)"):
        Caraway("proj").register_task(Empty())()


def test_a_class_that_is_not_registered_cannot_be_submitted() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"app\.register_task"):
        Add().delay(1, 2)
    assert Add()(1, 2) == 3
