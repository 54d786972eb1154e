"""Options of tasks: by the decorator, as attributes of a class, refused, or without effect."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from caraway import Caraway, Task
from caraway.task_options import _NO_EFFECT, _REFUSED


def body() -> None:
    """Do nothing."""


@pytest.mark.parametrize("option", ["rate_limit", "result_backend", "exchange", "routing_key"])
def test_what_is_not_honoured_is_refused_with_the_reason(option: str) -> None:
    app = Caraway("proj")
    with pytest.raises(TypeError, match=rf"does not support the option '{option}': .+;"):
        app.task(**{option: "x"})(body)
    base: Any = type("Base", (Task,), {option: "x"})
    with pytest.raises(TypeError, match=f"does not support the option '{option}'"):
        app.task(base=base)(body)
    assert all(name.startswith("caraway.") for name in app.tasks)
    app.task(**{option: None})(body)


@pytest.mark.parametrize("option", sorted(_NO_EFFECT))
def test_what_has_no_effect_is_accepted_with_a_warning(option: str) -> None:
    app = Caraway("proj")
    with pytest.warns(UserWarning, match=f"'{option}' has no effect: "):
        app.task(**{option: False})(body)
    base: Any = type("Base", (Task,), {option: False})
    with pytest.warns(UserWarning, match=f"'{option}' has no effect: ") as warned:
        app.task(base=base)(body)
    assert warned[0].filename == __file__


def test_options_are_class_attributes_too_and_the_decorator_goes_before_them() -> None:
    app = Caraway("proj")

    class Base(Task[..., Any]):
        autoretry_for = (OSError,)
        retry_backoff = 2
        throws = LookupError
        typing = False
        ignore_result = True
        reject_on_worker_lost = False

    made: Any = app.task(base=Base, retry_backoff=5)(body)
    assert (made.autoretry_for, made.retry_backoff, made.throws) == ((OSError,), 5, (LookupError,))
    assert made._options()["ignore_result"] is True
    with pytest.raises(OSError, match="down"):
        app.task(base=Base, name="fails")(lambda: (_ for _ in ()).throw(OSError("down")))()


def test_a_class_may_declare_options_of_its_own() -> None:
    app = Caraway("proj")

    class Database(Task[..., Any]):
        database = "primary"

    made: Any = app.task(base=Database, database="replica")(body)
    assert made.database == "replica"
    with pytest.raises(TypeError, match="did you mean 'database'"):
        app.task(base=Database, databse="replica")(body)
    with pytest.raises(TypeError, match="no option 'database'"):
        app.task(database="replica")(body)


def test_a_hook_given_as_an_option_is_a_method() -> None:
    app = Caraway("proj")

    def on_success(self: Any, *arguments: Any) -> tuple[Any, ...]:
        return (self, *arguments)

    made: Any = app.task(on_success=on_success)(body)
    assert made.on_success(1, "id", (), {}) == (made, 1, "id", (), {})
    assert made.has_hooks
    assert not app.task(name="other")(body).has_hooks


def test_an_error_is_kept_whether_results_are_or_not() -> None:
    app = Caraway("proj")
    app.task(store_errors_even_if_ignored=True, acks_on_failure_or_timeout=False)(body)
    with pytest.raises(TypeError, match="a failed task's error is always kept"):
        app.task(store_errors_even_if_ignored=False)(body)


@pytest.mark.parametrize("option", ["autoretry_for", "dont_autoretry_for", "throws"])
def test_what_is_to_be_exception_classes_is_checked(option: str) -> None:
    with pytest.raises(TypeError, match=f"{option} is to be a tuple of exception classes"):
        Caraway("proj").task(**{option: ("OSError",)})(body)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max_retries", "3"),
        ("max_retries", -1),
        ("max_retries", True),
        ("default_retry_delay", "1s"),
        ("retry_backoff", "2"),
        ("retry_backoff_max", None),
    ],
)
def test_what_retries_go_by_is_checked_before_any_task_runs(option: str, value: object) -> None:
    app = Caraway("proj")
    app.task(max_retries=None, default_retry_delay=timedelta(seconds=1), retry_backoff=True)(body)
    app.task(max_retries=0, retry_backoff=0.1, retry_backoff_max=timedelta(minutes=1))(body)
    with pytest.raises(TypeError, match=f"{option} is to be a .*{value!r}"):
        app.task(**{option: value})(body)


def test_every_option_is_in_the_documentation() -> None:
    text = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text()
    table = text.partition("## Options")[2].partition("## Retries")[0]
    named = set(re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in table.splitlines() if line[:3] == "| `")))
    assert named == Task.OPTIONS
    refused, accepted = re.findall(r"Refused, .+?: (.+?)\. Accepted .+?: (.+?)\.", table, re.DOTALL)[0]
    assert set(re.findall(r"`(\w+)`", refused)) == set(_REFUSED)
    assert set(re.findall(r"`(\w+)`", accepted)) == set(_NO_EFFECT)
