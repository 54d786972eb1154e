"""Where calls go: routes, queues, priorities and annotations, as they reach a real gateway."""

import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from caraway import Caraway, Middleware, Queue, Task, chain, chord, group, queues
from caraway.exceptions import ImproperlyConfigured, QueueNotFound
from caraway.middleware import Submission
from caraway.request import Context, pop, push
from caraway.v1 import task_pb2
from support.gateway import GatewayProcess

AppMaker = Callable[..., Caraway]


def body(*args: Any, **kwargs: Any) -> None:
    """What no worker runs here."""


@pytest.fixture
def make(gateway: GatewayProcess) -> Iterator[AppMaker]:
    """Apps of the session's gateway."""
    made: list[Caraway] = []

    def app(**settings: Any) -> Caraway:
        made.append(Caraway("routed", target=gateway.target, **settings))
        return made[-1]

    yield app
    for one in made:
        one.close()


def spec_of(app: Caraway, result: Any) -> task_pb2.TaskSpec:
    return app.gateway.read(result.id, full=True).spec


def queue_of(app: Caraway, result: Any) -> str:
    return spec_of(app, result).queue


class ByName:
    """A router of Celery's old kind."""

    def route_for_task(self, name: str, args: Any = None, kwargs: Any = None) -> Any:
        return {"queue": f"by-class-{args[0]}"} if name == "old.style" else None


def by_function(name: str, args: Any, kwargs: Any, options: Any, task: Any = None, **_: Any) -> Any:
    if name.startswith("function."):
        return {"queue": f"by-function-{options.get('priority')}-{task.name if task else None}", "priority": 1}
    return "shorthand" if name == "short" else None


ROUTES: list[tuple[Any, str, str]] = [
    ({"feed.import": {"queue": "feeds"}}, "feed.import", "feeds"),
    ({"feed.import": "feeds"}, "feed.import", "feeds"),
    ({"feed.import": Queue("feeds")}, "feed.import", "feeds"),
    ({"feed.*": "feeds"}, "feed.deep.import", "feeds"),
    ({"feed.*": "feeds"}, "other.import", "default"),
    ({"feed.*": "glob", "feed.import": "name"}, "feed.import", "name"),
    ({"feed.*": "first", "*": "second"}, "feed.x", "first"),
    ({re.compile(r"(video|image)\.tasks\..*"): {"queue": "media"}}, "image.tasks.crop", "media"),
    ([("feed.*", {"queue": "feeds"}), ("web.*", {"queue": "web"})], "web.get", "web"),
    (([("feed.*", "feeds"), (re.compile("web"), "web")],), "web.get", "web"),
    ([{"other": "other"}, {"feed.*": "feeds"}], "feed.x", "feeds"),
    (by_function, "short", "shorthand"),
    ([by_function, {"*": "rest"}], "any", "rest"),
    (ByName, "old.style", "by-class-7"),
    (ByName(), "old.style", "by-class-7"),
    (f"{__name__}.by_function", "short", "shorthand"),
    ([f"{__name__}:ByName", "sdk.test_routing.by_function"], "old.style", "by-class-7"),
]


@pytest.mark.parametrize(("routes", "name", "queue"), ROUTES)
def test_a_route_gives_a_queue(
    make: AppMaker, routes: Any, name: str, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make(task_routes=routes)
    assert queue_of(app, app.send_task(name, (7,))) == queue


def test_what_a_call_says_goes_before_its_task_and_that_before_routes_and_these_before_defaults(make: AppMaker) -> None:
    routes = {"*": {"queue": "route", "priority": 2, "expires": 600}}
    app = make(task_routes=routes, default_queue="mine", task_default_priority=1)
    own = app.task(name="own", queue="task", priority=7)(body)
    plain = app.task(name="plain")(body)
    assert [queue_of(app, own.delay()), queue_of(app, own.apply_async(queue="call"))] == ["task", "call"]
    assert [spec_of(app, own.delay()).priority, spec_of(app, own.apply_async(priority=9)).priority] == [7, 9]
    routed = spec_of(app, plain.apply_async(queue=None))
    assert (routed.queue, routed.priority, routed.ttl.seconds or routed.HasField("expire_time")) == ("route", 2, 600)
    app.task_routes = None
    unrouted = spec_of(app, plain.delay())
    assert (unrouted.queue, unrouted.priority) == ("mine", 1)
    assert spec_of(app, app.send_task("unknown", queue=Queue("object"))).queue == "object"


def test_a_function_is_told_all_of_a_call(make: AppMaker) -> None:
    app = make(task_routes=by_function)
    task = app.task(name="function.known")(body)
    assert queue_of(app, task.apply_async(priority=3)) == "by-function-3-function.known"
    spec = spec_of(app, app.send_task("function.unknown"))
    assert (spec.queue, spec.priority) == ("by-function-None-None", 1)


async def test_awaited_calls_batches_and_canvases_are_routed(make: AppMaker) -> None:
    app = make(task_routes={"routed.*": {"queue": "there", "priority": 6}})
    task = app.task(name="routed.add")(body)
    with app.batch():
        batched = task.delay(1)
    results = [await task.adelay(1), batched]
    sent = chord([task.s(1), app.signature("routed.other")], task.s(2).set(queue="own")).apply_async()
    results += [*sent.parent.results, task.apply_async(link=task.si())]
    assert [(spec.queue, spec.priority) for spec in (spec_of(app, one) for one in results)] == [("there", 6)] * 5
    assert (spec_of(app, sent).queue, spec_of(app, sent).priority) == ("own", 6)


def test_middleware_comes_before_routes(make: AppMaker) -> None:
    class Choosing(Middleware):
        def submit(self, submission: Submission, call_next: Any) -> Any:
            if submission.args:
                submission.options = {"queue": "chosen"}
            return call_next(submission)

        async def asubmit(self, submission: Submission, call_next: Any) -> Any:
            return self.submit(submission, call_next)

    app = make(task_routes={"*": "routed"})
    app.add_middleware(Choosing())
    assert [queue_of(app, app.send_task("a", args)) for args in ((), (1,))] == ["routed", "chosen"]


@pytest.mark.parametrize(
    ("routes", "text"),
    [
        (7, "a router is a dict, a function or where one is, and 7 is none"),
        ("no.such.router", r"'no\.such\.router' can't be found"),
        ({7: "x"}, "a name, a glob or a pattern is routed, not 7"),
        ({"a": 7}, "the route of a is to be a dict or the name of a queue, not 7"),
        ({"a": {"routing_key": "x"}}, "the route of a names no queue: there are no exchanges and routing keys here"),
        ({"a": {"qeue": "x"}}, r"the route of a: apply_async\(\) has no option 'qeue'"),
    ],
)
def test_a_wrong_route_says_what_is_wrong(make: AppMaker, routes: Any, text: str) -> None:
    app = make(task_routes=routes)
    with pytest.raises(ImproperlyConfigured, match=text):
        app.send_task("a")


def test_what_belongs_to_brokers_is_told_once(make: AppMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "_told", set())
    app = make(task_routes={"*": {"queue": "feeds", "routing_key": "feed.import", "exchange": "feeds"}})
    with pytest.warns(UserWarning, match="task_routes: routing_key, exchange mean nothing in Caraway"):
        assert queue_of(app, app.send_task("a")) == "feeds"
    with pytest.warns(UserWarning, match="Queue: routing_key, queue_arguments mean nothing"):
        Queue("a", routing_key="a.#", queue_arguments={"x-max-priority": 10})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        app.send_task("a")
        Queue("b", routing_key="b.#")
    assert (repr(Queue("a")), Queue("a"), len({Queue("a"), Queue("a")})) == ("<Queue a>", Queue("a"), 1)


@pytest.mark.parametrize("declared", [[Queue("one"), "two"], ("one", Queue("two")), {"one": {}, "two": None}])
def test_only_declared_queues_where_no_other_may_be(make: AppMaker, declared: Any) -> None:
    app = make(task_queues=declared, task_create_missing_queues=False, default_queue="one")
    assert app.queue_names == ("one", "two")
    task = app.task(name="a")(body)
    assert [queue_of(app, task.delay()), queue_of(app, task.apply_async(queue="two"))] == ["one", "two"]
    text = r"^the app's task_queues has no queue 'tow', but one, two$"
    for call in (
        lambda: task.apply_async(queue="tow"),
        lambda: (task.s() | task.s().set(queue="tow")).delay(),
        lambda: app.send_task("x", queue=Queue("tow")),
    ):
        with pytest.raises(QueueNotFound, match=text):
            call()
    with pytest.raises(KeyError):
        task.apply_async(queue="tow")
    token = push(Context(id="one", task="a"))
    try:
        with pytest.raises(QueueNotFound, match=text):
            task.retry(queue="tow")
    finally:
        pop(token)


@pytest.mark.parametrize("declared", [7, "one", [7], [""]])
def test_what_is_no_list_of_queues_is_refused(make: AppMaker, declared: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="queue"):
        _ = make(task_queues=declared).queue_names
    with pytest.raises(ImproperlyConfigured, match="a queue has a name"):
        Queue("")


def test_a_child_has_its_parent_s_priority_where_that_is_asked_for(make: AppMaker) -> None:
    app = make(task_inherit_parent_priority=True, task_default_priority=2)
    task = app.task(name="a")(body)
    assert spec_of(app, task.delay()).priority == 2
    last = chain(task.s(), task.si().set(priority=5), task.si()).apply_async()
    assert [spec_of(app, one).priority for one in (last.parent.parent, last.parent, last)] == [2, 5, 5]
    header = [task.s().set(priority=3), task.s().set(priority=6), task.s() | task.s().set(priority=4)]
    joined = chord(header, task.si()).apply_async()
    assert spec_of(app, joined).priority == 6
    assert spec_of(app, chord(header, task.si().set(priority=1)).apply_async()).priority == 1
    token = push(Context(id="parent", task="a", delivery_info={"priority": 8}))
    try:
        children = [task.delay(), task.apply_async(priority=1), *group(task.s(), task.s()).apply_async().results]
    finally:
        pop(token)
    assert [spec_of(app, one).priority for one in children] == [8, 1, 8, 8]


def test_priorities_may_be_the_other_way_round(make: AppMaker) -> None:
    app = make(
        task_priority_zero_first=True, task_routes={"routed": {"priority": 3}}, task_inherit_parent_priority=True
    )
    task = app.task(name="a", priority=0)(body)
    assert spec_of(app, task.delay()).priority == 9
    assert spec_of(app, task.apply_async(priority=9)).priority == 0
    assert spec_of(app, app.send_task("routed")).priority == 6
    last = chain(task.s(), app.signature("routed"), app.signature("plain")).apply_async()
    assert [spec_of(app, one).priority for one in (last.parent.parent, last.parent, last)] == [9, 6, 6]
    joined = chord([app.signature("routed"), app.signature("plain").set(priority=8)], app.signature("plain"))
    assert spec_of(app, joined.apply_async()).priority == 6
    for wrong in (-1, 10):
        with pytest.raises(ValueError, match="from 0"):
            task.apply_async(priority=wrong)
    token = push(Context(id="one", task="a"))
    try:
        assert task.retry(priority=1, throw=False).overrides.priority == 8
    finally:
        pop(token)


class Annotating:
    """Celery's class of annotations."""

    def annotate(self, task: Any) -> Any:
        return {"priority": 8} if task.name.startswith("a") else None


def on_failure(self: Any, *_: Any) -> str:
    return f"{self.name} failed"


def test_tasks_are_given_attributes_from_outside(make: AppMaker) -> None:
    app = make(
        task_annotations={
            "*": {"on_failure": on_failure, "max_retries": 9},
            "a": {"queue": "annotated", "max_retries": 1},
        }
    )
    a, b = app.task(name="a", queue="own")(body), app.task(name="b")(body)
    assert queue_of(app, a.delay()) == "annotated"
    assert (a.max_retries, b.max_retries, a.has_hooks) == (1, 9, True)
    assert a.on_failure(1, 2, 3, 4, 5) == "a failed"
    late = app.task(name="late")(body)
    assert (late.max_retries, late.on_failure(1, 2, 3, 4, 5)) == (9, "late failed")

    class Written(Task[..., Any]):
        name = "written"

        def run(self) -> None: ...

    assert app.register_task(Written()).max_retries == 9


@pytest.mark.parametrize("annotations", [Annotating, Annotating(), f"{__name__}.Annotating", [{"b": {}}, Annotating]])
def test_annotations_may_be_a_class(make: AppMaker, annotations: Any) -> None:
    app = make(task_annotations=annotations)
    a, b = app.task(name="a")(body), app.task(name="b")(body)
    app.finalize()
    assert (a.priority, b.priority) == (8, None)


def test_annotated_options_have_their_effect(make: AppMaker) -> None:
    app = make(task_annotations={"a": {"autoretry_for": (KeyError,), "typing": False}}, task_always_eager=True)
    runs: list[int] = []

    @app.task(name="a", max_retries=2, retry_backoff=False, default_retry_delay=0)
    def a() -> None:
        runs.append(1)
        raise KeyError("x")

    with pytest.raises(KeyError):
        a.delay().get()
    assert len(runs) == 3


@pytest.mark.parametrize(
    ("annotations", "error", "text"),
    [
        ({"a": {"max_retry": 3}}, TypeError, "did you mean 'max_retries'"),
        ({"a": {"rate_limit": "1/s"}}, TypeError, "rates are not limited yet"),
        (7, ImproperlyConfigured, r"7 is no dict, and has no annotate\(task\)"),
        ("no.such", ImproperlyConfigured, r"'no\.such' can't be found"),
    ],
)
def test_wrong_annotations_are_refused(make: AppMaker, annotations: Any, error: type[Exception], text: str) -> None:
    app = make(task_annotations=annotations)
    app.task(name="a")(body)
    with pytest.raises(error, match=text):
        app.finalize()
