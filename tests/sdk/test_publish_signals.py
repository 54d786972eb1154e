"""before_task_publish and after_task_publish, in the caller; and what eager runs tell instead."""

from collections.abc import Iterator
from typing import Any

import pytest

from caraway import Caraway, Unique, request
from caraway.canvas import chain
from caraway.exceptions import CarawayError, Reject, SubmitError
from caraway.signals import (
    after_task_publish,
    before_task_publish,
    task_postrun,
    task_prerun,
    task_retry,
    task_success,
)
from caraway.workflow import submitting
from support.played import PlayedGateway, refusal


class Seen:
    """What receivers were told."""

    def __init__(self) -> None:
        self.before: list[tuple[str, dict[str, Any]]] = []
        self.after: list[tuple[str, dict[str, Any]]] = []

    def on_before(self, sender: str, **told: Any) -> None:
        self.before.append((sender, told))

    def on_after(self, sender: str, **told: Any) -> None:
        self.after.append((sender, told))


@pytest.fixture
def seen() -> Iterator[Seen]:
    seen = Seen()
    before_task_publish.connect(seen.on_before)
    after_task_publish.connect(seen.on_after)
    yield seen
    before_task_publish.disconnect(seen.on_before)
    after_task_publish.disconnect(seen.on_after)


def test_both_are_told_of_a_submit(app: Caraway, seen: Seen) -> None:
    result = app.send_task("proj.add", (2, 3), {"z": 4}, queue="q", priority=7, headers={"tenant": "a"})
    ((sender, before),), ((also, after),) = seen.before, seen.after
    assert sender == also == "proj.add"
    assert before["body"] == after["body"] == ((2, 3), {"z": 4}, {})
    assert (before["routing_key"], before["exchange"], before["declare"]) == ("q", "", [])
    assert before["properties"] == {"correlation_id": result.id, "priority": 7}
    for headers in (before["headers"], after["headers"]):
        assert headers.items() >= {
            "id": result.id, "task": "proj.add", "tenant": "a", "root_id": result.id, "parent_id": None,
        }.items()  # fmt: skip


def test_priorities_are_told_in_the_app_s_words(app: Caraway, seen: Seen) -> None:
    app.conf.task_priority_zero_first = True
    app.send_task("proj.add", priority=2)
    canvas = chain(app.signature("proj.add", priority=1), app.signature("proj.add"))
    canvas.freeze()
    list(app.nodes_of(canvas))
    assert [told["properties"]["priority"] for _, told in seen.before] == [2, 1, None]


async def test_the_async_twin_tells_them_too(app: Caraway, seen: Seen) -> None:
    result = await app.asend_task("proj.add", (2, 3))
    assert [told["headers"]["id"] for _, told in (*seen.before, *seen.after)] == [result.id] * 2
    assert seen.after[0][1]["routing_key"] == "default"


def test_a_batch_tells_of_each_that_was_taken(app: Caraway, played: PlayedGateway, seen: Seen) -> None:
    played.refused_names["bad"] = refusal("QUEUE_FULL")
    with pytest.raises(SubmitError), app.batch():
        ids = [app.send_task(name, (1,)).id for name in ("one", "bad", "two")]
        assert seen.after == []
    assert [told["headers"]["id"] for _, told in seen.before] == ids
    assert [told["headers"]["id"] for _, told in seen.after] == [ids[0], ids[2]]


def test_a_refused_submit_was_not_published(app: Caraway, played: PlayedGateway, seen: Seen) -> None:
    played.refusals.append(refusal("QUEUE_FULL"))
    with pytest.raises(CarawayError):
        app.send_task("proj.add")
    assert (len(seen.before), seen.after) == (1, [])


def test_headers_that_a_receiver_adds_or_takes_away_are_sent_so(app: Caraway, played: PlayedGateway) -> None:
    def change(headers: dict[str, Any], **_told: Any) -> None:
        headers["trace"] = "t-1"
        del headers["secret"]
        headers["task"] = "another"  # a fact: it stays

    before_task_publish.connect(change)
    try:
        given = {"secret": "x", "id": "mine"}
        result = app.send_task("proj.add", headers=given, unique=Unique("k"))
    finally:
        before_task_publish.disconnect(change)
    spec = played.tasks[result.id].spec
    assert (spec.name, dict(spec.headers)) == ("proj.add", {"trace": "t-1", "id": "mine"})
    assert given == {"secret": "x", "id": "mine"}


def test_inside_a_task_the_family_is_told(app: Caraway, seen: Seen) -> None:
    token = request.push(request.Context(id="parent", root_id="root"))
    try:
        app.send_task("proj.add")
    finally:
        request.pop(token)
    for _, told in (*seen.before, *seen.after):
        assert (told["headers"]["root_id"], told["headers"]["parent_id"]) == ("root", "parent")


def test_each_task_of_a_canvas_is_told(seen: Seen) -> None:
    app: Any = Caraway("canvases", target="127.0.0.1:1")
    canvas = chain(app.signature("one", (1,)), app.signature("two", (2,)).set(queue="q", headers={"tenant": "a"}))
    canvas.freeze()
    steps = submitting(app.nodes_of(canvas), app)
    call = next(steps)
    first, second = (node.node_id for node in call.arguments[1].workflow.nodes)
    assert [(name, told["headers"]["id"], told["headers"]["parent_id"]) for name, told in seen.before] == [
        ("one", first, None), ("two", second, first),
    ]  # fmt: skip
    assert seen.after == []
    with pytest.raises(StopIteration):
        steps.send(None)
    assert [(name, told["body"], told["headers"]["root_id"]) for name, told in seen.after] == [
        ("one", ((1,), {}, {}), first), ("two", ((2,), {}, {}), first),
    ]  # fmt: skip
    assert [told["routing_key"] for _, told in (*seen.before, *seen.after)] == ["default", "q"] * 2
    assert seen.after[1][1]["headers"]["tenant"] == "a"


def test_eager_runs_are_attempts_and_no_publishing(seen: Seen) -> None:
    app = Caraway("eager", task_always_eager=True)
    told: list[Any] = []

    def note(signal: Any, sender: Any, **facts: Any) -> None:
        told.append((signal.name, sender.name, facts.get("state")))

    @app.task(name="once_more", bind=True, max_retries=1, default_retry_delay=0)
    def once_more(self: Any) -> str:
        if self.request.retries == 0:
            raise self.retry()
        return "done"

    @app.task(name="reject")
    def reject() -> None:
        raise Reject("no")

    for signal in (task_prerun, task_postrun, task_retry, task_success):
        signal.connect(note)
    assert once_more.delay().get() == "done"
    reject.delay()
    assert told == [
        ("task_prerun", "once_more", None), ("task_retry", "once_more", None), ("task_postrun", "once_more", "RETRY"),
        ("task_prerun", "once_more", None), ("task_success", "once_more", None),
        ("task_postrun", "once_more", "SUCCESS"),
        ("task_prerun", "reject", None), ("task_postrun", "reject", "REJECTED"),
    ]  # fmt: skip
    assert (seen.before, seen.after) == ([], [])


def test_arguments_in_a_form_that_only_the_app_accepts_are_told(played: PlayedGateway, seen: Seen) -> None:
    app = Caraway("pickling", target=played.target, task_serializer="pickle", accept_content=["pickle"])
    app.send_task("proj.add", ({1, 2},))
    assert seen.after[0][1]["body"] == (({1, 2},), {}, {})
    app.close()
