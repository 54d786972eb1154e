"""What a task is told of itself is made of its lease when it asks, and is the same as if it had been made at once."""

import copy
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from google.protobuf import text_format

from caraway import Caraway, request
from caraway.v1 import worker_service_pb2
from caraway_worker.attempt import Attempt
from caraway_worker.lease_context import LeaseContext
from caraway_worker.options import ChildOptions

LEASE = """
lease_token: "7.id" fence: 7 attempt: 2 delivery_count: 3 expires_in { seconds: 60 }
task {
  task_id: "id" name: "proj.add" queue: "q" priority: 6 args_repr: "(1,)" kwargs_repr: "{}" ignore_result: true
  schedule_time { seconds: 1000 } time_limits { hard { seconds: 9 } soft { seconds: 8 } }
  headers { key: "caraway-root-id" value: "root" } headers { key: "caraway-parent-id" value: "parent" }
  headers { key: "caraway-shadow" value: "shown" } headers { key: "own" value: "1" }
  stamps { key: "tenant" value { values { string_value: "a" } } }
}
"""


@pytest.fixture
def app() -> Caraway:
    return Caraway("context", target="localhost:1")


def context_of(app: Caraway, lease: str, progress: Any = print) -> LeaseContext:
    task = app.task(name="proj.add", trail=False)(lambda x: x)
    slot: Any = SimpleNamespace(cancelled=lambda sequence: sequence == 5)
    attempt = Attempt.begin(slot, 5, text_format.Parse(lease, worker_service_pb2.TaskLease()))
    attempt.args, attempt.kwargs = (1,), {"y": 2}
    options = cast(ChildOptions, SimpleNamespace(worker="worker@host", hard=100.0, soft=None))
    return LeaseContext(attempt, task, app, options, progress)


def test_all_that_a_lease_says(app: Caraway) -> None:
    sent = []
    context = context_of(app, LEASE, lambda attempt, state, meta: sent.append((attempt.sequence, state, meta)))
    assert (context.id, context.task, context.args, context.kwargs) == ("id", "proj.add", (1,), {"y": 2})
    assert (context.root_id, context.parent_id, context.shadow) == ("root", "parent", "shown")
    assert context.headers["own"] == "1"
    assert (context.argsrepr, context.kwargsrepr, context.hostname) == ("(1,)", "{}", "worker@host")
    assert (context.attempt, context.retries, context.delivery_count, context.fence) == (2, 1, 3, 7)
    assert context.delivery_info == {"queue": "q", "priority": 6, "redelivered": True}
    assert context.timelimit == (9.0, 8.0)
    assert context.eta == datetime.fromtimestamp(1000, UTC)
    assert context.expires is not None
    assert abs(context.expires - datetime.now(UTC) - timedelta(seconds=60)) < timedelta(seconds=5)
    assert (context.ignore_result, context.trail, context.stamps) == (True, False, {"tenant": ["a"]})
    assert context.is_cancelled()
    context.report_progress("HALF", 50)
    assert sent == [(5, "HALF", 50)]
    assert context.app is app


def test_what_a_lease_leaves_out_is_as_in_any_context(app: Caraway) -> None:
    bare = 'lease_token: "7.id" attempt: 1 delivery_count: 1 task { task_id: "id" name: "proj.add" }'
    context = context_of(app, bare)
    plain = request.Context(id="id", task="proj.add", root_id="id", hostname="worker@host", app=app, trail=False)
    own = {"args", "kwargs", "delivery_info", "timelimit", "report_progress", "is_cancelled"}
    for field in fields(request.Context):
        if field.name not in own:
            assert getattr(context, field.name) == getattr(plain, field.name), field.name
    assert context.timelimit == (100.0, None)
    assert context.group is None


def test_what_was_set_stays_and_what_there_is_not_is_told(app: Caraway) -> None:
    context = context_of(app, LEASE)
    context.hostname = "elsewhere"
    assert context.hostname == "elsewhere"
    context.delivery_info["own"] = 1
    assert context.delivery_info["own"] == 1
    with pytest.raises(AttributeError, match="nothing_like_it"):
        context.nothing_like_it  # noqa: B018
    assert context.get("nothing_like_it", 4) == 4


def test_it_can_be_copied_shown_and_changed(app: Caraway) -> None:
    context = context_of(app, LEASE)
    assert copy.copy(context).fence == 7
    assert "fence=7" in repr(context)
    changed = request.changed(context, attempt=9)
    assert (changed.attempt, changed.fence, context.attempt) == (9, 7, 2)
    with pytest.raises(TypeError, match="nothing_like_it"):
        request.changed(context, nothing_like_it=1)
