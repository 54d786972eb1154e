"""Apps: tasks under their names, options that exist, calls that are checked before they are sent."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from caraway import Caraway, Task
from caraway.exceptions import ImproperlyConfigured, NotRegistered
from caraway.request import Context, pop, push


def test_the_target_is_read_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CARAWAY_TARGET", raising=False)
    app = Caraway("proj")
    monkeypatch.setenv("CARAWAY_TARGET", "gateway:1")
    assert app.target == "gateway:1"
    assert Caraway("proj", target="other:2").target == "other:2"
    monkeypatch.delenv("CARAWAY_TARGET")
    assert Caraway("proj").target == "localhost:50051"


def test_a_task_is_named_after_its_module_and_function() -> None:
    app = Caraway("proj")

    @app.task
    def add(x: int, y: int) -> int:
        """Add."""
        return x + y

    @app.task(name="own.name")
    def named() -> None: ...

    assert add.name == f"{__name__}.add"
    own = {name: task for name, task in app.tasks.items() if not name.startswith("caraway.")}
    assert own == {add.name: add, "own.name": named}
    assert (add.__name__, add.__doc__, add(1, 2)) == ("add", "Add.", 3)
    assert repr(add) == f"<@task: {__name__}.add>"
    assert app.find_task("own.name") is named
    with pytest.raises(NotRegistered, match=r"no\.such"):
        app.find_task("no.such")


def test_tasks_of_a_program_are_named_after_the_app(tmp_path: Path) -> None:
    program = tmp_path / "jobs.py"
    program.write_text(
        """
import sys
from caraway import Caraway
app = Caraway(sys.argv[1] if len(sys.argv) > 1 else None)
@app.task
def add(): ...
print(add.name)
"""
    )
    for arguments, expected in ((["proj"], "proj.add"), ([], "jobs.add")):
        ended = subprocess.run(
            [sys.executable, str(program), *arguments], capture_output=True, text=True, timeout=30, check=True
        )
        assert ended.stdout.strip() == expected


def test_options_become_attributes_and_a_base_class_gives_defaults() -> None:
    app = Caraway("proj")

    class Patient(Task[..., Any]):
        max_retries = 9
        time_limit = 60

    @app.task(base=Patient, time_limit=30, queue="mail", autoretry_for=(OSError,))
    def send() -> None: ...

    assert isinstance(send, Patient)
    assert (send.max_retries, send.time_limit, send.queue, send.autoretry_for) == (9, 30, "mail", (OSError,))
    plain = app.task(name="plain")(lambda: None)
    assert (plain.max_retries, plain.default_retry_delay, plain.retry_backoff_max, plain.retry_jitter) == (
        3,
        180,
        600,
        True,
    )


def test_an_unknown_option_is_refused_with_the_nearest_right_name() -> None:
    app = Caraway("proj")
    with pytest.raises(TypeError, match="'max_retry'; did you mean 'max_retries'"):
        app.task(max_retry=3)(lambda: None)
    with pytest.raises(TypeError, match="does not support the option 'rate_limit': rates are not limited yet"):
        app.task(rate_limit="10/s")(lambda: None)
    with pytest.raises(TypeError, match="it knows"):
        app.task(zzzz=1)(lambda: None)
    with pytest.raises(TypeError, match="time_limit"):
        app.task(time_limit="30")(lambda: None)


def test_two_functions_can_t_have_one_name_but_a_module_may_be_loaded_again() -> None:
    app = Caraway("proj")

    def make(body: str) -> Any:
        namespace: dict[str, Any] = {"__name__": "proj"}
        exec(body, namespace)
        return namespace

    first = app.task(make("def add(): return 1")["add"])
    second = app.task(make("def add(): return 2")["add"])
    assert app.tasks["proj.add"] is second is not first
    with pytest.raises(ImproperlyConfigured, match=r"proj\.add"):
        app.task(name="proj.add")(make("def other(): ...")["other"])


def test_a_wrong_policy_for_unknown_tasks_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="unknown_task"):
        Caraway("proj", unknown_task="drop")  # type: ignore[arg-type]


class Refused(Exception):
    """Says that a call got past its check."""


class NoGateway:
    def submit(self, spec: Any, policy: Any) -> str:
        raise Refused(spec.name)


def checked(app: Caraway, task: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    app._gateway = NoGateway()  # type: ignore[assignment]
    try:
        task.delay(*args, **kwargs)
    except Refused:
        return True
    except TypeError:
        return False
    raise AssertionError


@pytest.mark.parametrize("bind", [False, True])
@pytest.mark.parametrize(
    "parameters",
    [
        "",
        "a",
        "a, b=1",
        "a, /, b",
        "*args",
        "a, *args",
        "a, *, k",
        "*, k=1",
        "**kw",
        "a, /, **kw",
        "a=1, *args, k, **kw",
    ],
)
def test_calls_are_checked_as_python_would(parameters: str, bind: bool) -> None:
    namespace: dict[str, Any] = {"__name__": "proj"}
    exec(f"def plain({parameters}): pass\ndef bound(self, {parameters}): pass", namespace)
    app = Caraway("proj")
    task = app.task(bind=True)(namespace["bound"]) if bind else app.task(namespace["plain"])
    for args in ((), (1,), (1, 2), (1, 2, 3)):
        for kwargs in ({}, {"a": 1}, {"b": 1}, {"k": 1}, {"a": 1, "k": 1}, {"z": 1}, {"a": 1, "b": 2}):
            try:
                namespace["plain"](*args, **kwargs)
                fits = True
            except TypeError:
                fits = False
            assert checked(app, task, args, kwargs) == fits, (parameters, args, kwargs)


def test_a_wrong_call_names_the_task_and_the_argument() -> None:
    app = Caraway("proj")
    add = app.task(name="proj.add")(lambda x, y: x + y)
    with pytest.raises(TypeError, match=r"proj\.add\(\) missing a required argument: 'y'"):
        add.delay(1)
    with pytest.raises(TypeError, match="args are to be a list or tuple"):
        add.apply_async("ab")


def test_a_task_without_typing_is_not_checked() -> None:
    app = Caraway("proj")
    task = app.task(typing=False)(lambda x: x)
    assert checked(app, task, (1, 2, 3), {"y": 1})


def test_the_request_is_the_running_attempt_s_and_no_other_task_s() -> None:
    app = Caraway("proj")
    seen: list[tuple[str, bool]] = []

    @app.task(name="inner", bind=True)
    def inner(self: Any) -> None:
        seen.append((self.request.id, self.request.called_directly))

    @app.task(name="outer", bind=True)
    def outer(self: Any, depth: int = 0) -> None:
        seen.append((self.request.id, self.request.called_directly))
        if depth < 1:
            inner()
            outer(depth + 1)
            seen.append((self.request.id, self.request.called_directly))

    token = push(Context(id="one", task="outer"))
    try:
        outer()
    finally:
        pop(token)
    assert seen == [("one", False), ("", True), ("", True), ("one", False)]
    assert outer.request.called_directly
