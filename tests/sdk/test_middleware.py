"""Middleware in the client, and around attempts that run here and now."""

from collections.abc import Iterator
from typing import Any

import pytest

from caraway import Caraway, Middleware, chain, group
from caraway.exceptions import ImproperlyConfigured, Retry
from caraway.middleware import Submission
from caraway.request import Context
from support.gateway import GatewayProcess


class Noting(Middleware):
    """Notes what passes; adds a header."""

    def __init__(self, name: str, notes: list[Any]) -> None:
        self.name = name
        self.notes = notes

    def _enter(self, submission: Submission) -> None:
        self.notes.append((self.name, submission.name, submission.args, dict(submission.kwargs)))
        headers = {**(submission.options.get("headers") or {}), self.name: "seen"}
        submission.options = {**submission.options, "headers": headers}

    def submit(self, submission: Submission, call_next: Any) -> Any:
        self._enter(submission)
        result = call_next(submission)
        self.notes.append((self.name, result.id))
        return result

    async def asubmit(self, submission: Submission, call_next: Any) -> Any:
        self._enter(submission)
        result = await call_next(submission)
        self.notes.append((self.name, result.id))
        return result


@pytest.fixture
def notes() -> list[Any]:
    return []


@pytest.fixture
def app(gateway: GatewayProcess, notes: list[Any]) -> Iterator[Caraway]:
    made = Caraway("through", target=gateway.target, default_queue="through")
    made.add_middleware(Noting("outer", notes))
    made.add_middleware(Noting("inner", notes))

    @made.task(name="through.add")
    def add(x: int, y: int = 0) -> int:
        return x + y

    yield made
    made.close()


def headers_of(app: Caraway, task_id: str) -> dict[str, str]:
    return dict(app.gateway.read(task_id, full=True).spec.headers)


def test_a_submit_goes_through_all_and_back(app: Caraway, notes: list[Any]) -> None:
    result = app.tasks["through.add"].delay(1, y=2)
    call = ("through.add", (1,), {"y": 2})
    assert notes == [("outer", *call), ("inner", *call), ("inner", result.id), ("outer", result.id)]
    assert headers_of(app, result.id).items() >= {"outer": "seen", "inner": "seen"}.items()


async def test_an_awaited_submit_goes_through_the_twins(app: Caraway, notes: list[Any]) -> None:
    result = await app.tasks["through.add"].adelay(1)
    assert [note[0] for note in notes] == ["outer", "inner", "inner", "outer"]
    assert headers_of(app, result.id).items() >= {"outer": "seen"}.items()


def test_each_task_of_a_batch_and_of_a_canvas_goes_through(app: Caraway, notes: list[Any]) -> None:
    add = app.tasks["through.add"]
    with app.batch():
        results = [add.delay(n) for n in range(2)]
    assert [note for note in notes if note[0] == "outer" and len(note) == 4] == [
        ("outer", "through.add", (n,), {}) for n in range(2)
    ]
    notes.clear()
    canvas = chain(add.s(1), group(add.s(2), add.s(3))).apply_async()
    assert [note[2] for note in notes if note[0] == "inner" and len(note) == 4] == [(1,), (2,), (3,)]
    linked = add.apply_async((4,), link=add.s(5))
    for result in (*results, canvas.results[0], canvas.parent, linked):
        assert headers_of(app, result.id).items() >= {"outer": "seen", "inner": "seen"}.items()


class Changing(Middleware):
    """Doubles arguments, or refuses."""

    def submit(self, submission: Submission, call_next: Any) -> Any:
        if submission.kwargs.get("forbidden"):
            raise PermissionError(submission.name)
        submission.args = tuple(2 * arg for arg in submission.args)
        return call_next(submission)

    async def asubmit(self, submission: Submission, call_next: Any) -> Any:
        return self.submit(submission, call_next)

    def attempt(self, context: Context, call_next: Any) -> Any:
        try:
            return ["ran", call_next(context)]
        except KeyError as error:
            return ["saved", str(error)]

    async def aattempt(self, context: Context, call_next: Any) -> Any:
        return ["awaited", await call_next(context)]


@pytest.fixture
def eager() -> Caraway:
    made = Caraway("here", task_always_eager=True)
    made.add_middleware(Changing())

    @made.task(name="here.half", bind=True)
    def half(self: Any, x: int = 0, forbidden: bool = False) -> int:
        if x == 0:
            raise KeyError("nothing")
        if x == 8 and self.request.retries == 0:
            raise self.retry(countdown=0)
        return x // 2

    @made.task(name="here.later")
    async def later(x: int) -> int:
        return x

    return made


def test_what_is_changed_is_what_runs_and_what_is_returned_is_the_result(eager: Caraway) -> None:
    half, later = eager.tasks["here.half"], eager.tasks["here.later"]
    assert half.delay(3).get() == ["ran", 3]
    assert half.delay(0).get() == ["saved", "'nothing'"]
    assert half.delay(4).get() == ["ran", 4], "a retry passes through as any error"
    assert later.delay(3).get() == ["awaited", 6]
    with pytest.raises(PermissionError):
        half.delay(1, forbidden=True)
    assert half(6) == 3, "a call is no attempt"


def test_a_retry_can_be_seen(eager: Caraway) -> None:
    seen: list[type] = []

    class Seeing(Changing):
        def attempt(self, context: Context, call_next: Any) -> Any:
            try:
                return call_next(context)
            except Retry as error:
                seen.append(type(error))
                raise

    eager.add_middleware(Seeing())
    assert eager.tasks["here.half"].delay(2).get() == ["ran", 4]
    assert seen == [Retry]


def test_a_canvas_s_task_can_not_be_left_out() -> None:
    class Dropping(Middleware):
        def submit(self, submission: Submission, call_next: Any) -> Any:
            return None

        async def asubmit(self, submission: Submission, call_next: Any) -> Any:
            return None

    app = Caraway("dropping", target="127.0.0.1:1")
    app.add_middleware(Dropping())
    task = app.task(name="dropping.add")(lambda x: x)
    assert task.delay(1) is None, "alone it can: nothing is sent"
    with pytest.raises(TypeError, match=r"call call_next once for dropping\.add"):
        (task.s(1) | task.s()).delay()


def test_half_a_twin_is_refused() -> None:
    class Half(Middleware):
        def submit(self, submission: Submission, call_next: Any) -> Any:
            return call_next(submission)

    class OtherHalf(Middleware):
        async def aattempt(self, context: Context, call_next: Any) -> Any:
            return await call_next(context)

    app = Caraway("proj")
    with pytest.raises(ImproperlyConfigured, match=r"Half defines submit\(\) and not asubmit\(\)"):
        app.add_middleware(Half())
    with pytest.raises(ImproperlyConfigured, match=r"OtherHalf defines aattempt\(\) and not attempt\(\)"):
        app.add_middleware(OtherHalf())
    with pytest.raises(ImproperlyConfigured, match=r"and <class .*Half'> is none"):
        app.add_middleware(Half)  # type: ignore[arg-type]
