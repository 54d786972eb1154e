"""Members of tasks, of their requests and of signatures that Celery's programs use here and there."""

import copy
import logging
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from caraway import Caraway, Task, chord, group
from caraway.app.log import TaskFormatter
from caraway.contrib.abortable import AbortableAsyncResult, AbortableTask
from caraway.exceptions import MaxRetriesExceededError, OperationalError
from caraway.request import Context, pop, push
from caraway.signals import after_task_publish
from support.played import PlayedGateway


@pytest.fixture
def app() -> Caraway:
    """One that sends nothing."""
    return Caraway("proj", target="127.0.0.1:1")


def test_errors_are_found_by_the_task(app: Caraway) -> None:
    @app.task(bind=True, max_retries=0)
    def limited(self: Task[..., Any]) -> str:
        try:
            self.retry()
        except self.MaxRetriesExceededError:
            return "given up"
        return "never"

    assert limited.MaxRetriesExceededError is MaxRetriesExceededError
    assert limited.OperationalError is OperationalError
    assert limited.apply().get() == "given up"
    assert limited.subtask((1,)) == limited.signature((1,))


def test_a_body_is_tested_in_a_run_of_its_own(app: Caraway) -> None:
    @app.task(bind=True)
    def told(self: Task[..., Any]) -> tuple[Any, ...]:
        return self.request.id, self.request.retries, self.request.called_directly

    told.push_request(id="outer", retries=2)
    told.push_request(id="inner", called_directly=False)
    assert told.run() == ("inner", 2, False)
    told.pop_request()
    assert told.run() == ("outer", 2, True)
    told.pop_request()
    assert told.request.id == ""
    with pytest.raises(TypeError, match="colour"):
        told.push_request(colour="red")


def test_a_class_is_told_of_its_app(app: Caraway) -> None:
    bound: list[Any] = []

    class Told(Task[..., Any]):
        @classmethod
        def on_bound(cls, app: Any) -> None:
            bound.append(app)

    @app.task(base=Told)
    def task() -> None: ...

    assert bound == [app]


def test_a_task_may_give_its_calls_other_names(played: PlayedGateway) -> None:
    app = Caraway("proj", target=played.target)

    def after_first(self: Any, args: Sequence[Any], kwargs: Mapping[str, Any], options: Any) -> str | None:
        return f"{self.name}-{args[0]}" if args else None

    @app.task(name="sent", shadow_name=after_first)
    def sent(*args: Any) -> None: ...

    class Named(Task[..., Any]):
        name = "classy"

        def shadow_name(self, args: Sequence[Any], kwargs: Mapping[str, Any], options: Any) -> str | None:
            return "hidden"

        def run(self) -> None: ...

    shadows: list[Any] = []

    def keep(headers: Any, **_: Any) -> None:
        shadows.append(headers["shadow"])

    after_task_publish.connect(keep)
    try:
        sent.delay(1)
        sent.apply_async((2,), shadow="own")
        sent.delay()
        app.register_task(Named).delay()
    finally:
        after_task_publish.disconnect(keep)
        app.close()
    assert shadows == ["sent-1", "own", None, "hidden"]


def test_a_request_has_what_celery_s_has() -> None:
    request = Context(id="x", task="t", headers={"caraway-group-id": "g"}, delivery_info={"queue": "q", "priority": 3})
    assert (request.correlation_id, request.taskset, request.utc) == ("x", "g", True)
    unknown = ("chain", "chord", "callbacks", "errbacks", "reply_to", "origin", "logfile", "loglevel", "eta")
    assert {getattr(request, name) for name in unknown} == {None}
    assert request.properties == {
        "correlation_id": "x", "reply_to": None, "priority": 3, "delivery_info": {"queue": "q", "priority": 3},
    }  # fmt: skip
    assert (request.get("id"), request.get("absent"), request.get("absent", 7)) == ("x", None, 7)


def test_signatures_show_calls_and_give_results(app: Caraway) -> None:
    @app.task(name="add")
    def add(x: int, y: int) -> int:
        return x + y

    @app.task(name="long", base=AbortableTask)
    def long() -> None: ...

    part = add.s(2)
    assert (part.reprcall(1), part.reprcall(y=3), part.args) == ("add(1, 2)", "add(2, y=3)", (2,))
    assert part.partial((1,)).args == (1, 2)
    assert part.AsyncResult("id").id == "id"
    assert isinstance(long.s().AsyncResult("id"), AbortableAsyncResult)
    assert app.signature("unknown").AsyncResult("id").app is app


def test_lists_of_a_signature_s_options_grow(app: Caraway) -> None:
    first, second = app.signature("first"), app.signature("second")
    part = app.signature("part")
    assert part.append_to_list_option("link", first) is first
    part.extend_list_option("link", [first, second])
    part.extend_list_option("link_error", first)
    assert part.options == {"link": [first, second], "link_error": [first]}
    whole = chord([app.signature("header")], app.signature("body"))
    whole.link(dict(first))
    assert whole.body.options == {"link": [first]}
    members = group(app.signature("one"))
    members.link(dict(first))
    assert members.tasks[0].options["link"][0]["immutable"] is True


def test_a_program_s_own_handlers_tell_the_task() -> None:
    lines = TaskFormatter("%(task_name)s[%(task_id)s] %(message)s", use_color=False)

    def line(level: int = logging.INFO) -> str:
        return lines.format(logging.LogRecord("x", level, "file", 1, "said", None, None))

    assert line() == "???[???] said"
    token = push(Context(id="7", task="proj.add"))
    try:
        assert line() == "proj.add[7] said"
        push(Context(id="7", task="proj.add", shadow="shown"))
        assert line() == "shown[7] said"
        lines.use_color = True
        assert line(logging.ERROR) == "\x1b[31mshown[7] said\x1b[0m"
        assert line() == "shown[7] said"
    finally:
        pop(token)


def test_results_are_pickled_and_belong_to_the_current_app_then(app: Caraway) -> None:
    first, members = app.AsyncResult("first"), app.GroupResult("group", [app.AsyncResult("a"), app.AsyncResult("b")])
    members.parent = first
    other = Caraway("other", target="127.0.0.1:2")
    result = pickle.loads(pickle.dumps(AbortableAsyncResult("last", app, members)))
    assert (type(result), result.id, result.app) == (AbortableAsyncResult, "last", other)
    assert (result.parent, result.parent.parent, result.parent.app) == (members, first, other)
    assert pickle.loads(pickle.dumps(app.ResultSet([first]))) == app.ResultSet([first])
    assert copy.copy(first) == first and copy.copy(first).app is app


@pytest.mark.parametrize(
    ("module", "names"),
    [
        (
            "",
            "Celery Task shared_task chain group chord signature subtask current_app current_task uuid states signals",
        ),
        ("app", "Celery shared_task app_or_default"),
        ("app.base", "Celery"),
        ("app.control", "Control Inspect"),
        ("app.log", "TaskFormatter"),
        ("app.task", "Context Task"),
        ("canvas", "Signature StampingVisitor chain chord group maybe_signature maybe_subtask signature subtask"),
        ("contrib.testing.tasks", "ping"),
        ("result", "AsyncResult EagerResult GroupResult ResultSet allow_join_result result_from_tuple"),
        ("utils", "uuid"),
        ("utils.dispatch", "Signal"),
        ("utils.log", "ColorFormatter get_task_logger"),
        ("worker.control", "control_command inspect_command"),
    ],
)
def test_names_are_imported_from_where_celery_has_them(module: str, names: str) -> None:
    """With nothing changed but the first word, in a process that has imported nothing else."""
    line = f"from caraway{'.' if module else ''}{module} import {', '.join(names.split())}"
    subprocess.run([sys.executable, "-c", line], check=True, timeout=30)
