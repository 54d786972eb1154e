"""Uniqueness: one task at a time, or in a time, for a key; and deliveries that may happen once."""

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf import duration_pb2

from api.wire import DEADLINE, Api, refused
from caraway.ids import uuid7
from caraway.v1 import admin_service_pb2, task_pb2, task_service_pb2, worker_service_pb2
from support.gateway import GatewayProcess
from support.processes import eventually

Task = task_pb2.Task
Error = task_pb2.TaskError
Rule = task_pb2.Uniqueness
Report = worker_service_pb2.TaskReport
ON_START = task_pb2.TaskSpec.ACK_MODE_ON_START
CREATED = task_service_pb2.SUBMIT_DISPOSITION_CREATED
DEDUPLICATED = task_service_pb2.SUBMIT_DISPOSITION_DEDUPLICATED
REPLACED = task_service_pb2.SUBMIT_DISPOSITION_REPLACED


def rule(key: str, on_conflict: Rule.OnConflict.ValueType = Rule.ON_CONFLICT_UNSPECIFIED, window: float = 0) -> Rule:
    made = Rule(key=key, on_conflict=on_conflict)
    if window:
        made.window.FromMilliseconds(round(window * 1000))
    return made


def test_a_second_task_of_a_key_is_refused(api: Api, queue: str) -> None:
    key = uuid7()
    holder = api.submit_id(queue, uniqueness=rule(key))
    refusal = refused(lambda: api.submit(queue, uniqueness=rule(key)))
    assert (refusal.reason, refusal.metadata) == ("UNIQUE_CONFLICT", {"task_id": holder, "key": key})
    assert api.submit(queue, uniqueness=rule(uuid7())).disposition == CREATED


def test_the_key_is_free_when_its_task_has_ended(api: Api, queue: str) -> None:
    key = uuid7()
    for _ in range(2):
        assert api.submit(queue, uniqueness=rule(key)).disposition == CREATED
        lease = api.stream(queue, credit=1).lease()
        assert refused(lambda: api.submit(queue, uniqueness=rule(key))).reason == "UNIQUE_CONFLICT"
        api.succeed(lease)


def test_a_window_holds_the_key_beyond_the_end_and_then_no_longer(api: Api, queue: str) -> None:
    key = uuid7()
    holder = api.submit_id(queue, uniqueness=rule(key, window=1))
    api.revoke(holder)
    assert refused(lambda: api.submit(queue, uniqueness=rule(key))).metadata["task_id"] == holder

    def is_taken() -> bool:
        wish = rule(key, Rule.ON_CONFLICT_RETURN_EXISTING)
        return api.submit(queue, uniqueness=wish).disposition == CREATED

    eventually(is_taken, what="the window is over")


def test_the_existing_task_is_returned(api: Api, queue: str) -> None:
    key = uuid7()
    holder = api.submit_id(queue, uniqueness=rule(key), priority=7)
    answer = api.submit(queue, uniqueness=rule(key, Rule.ON_CONFLICT_RETURN_EXISTING))
    assert (answer.disposition, answer.task.task_id, answer.task.spec.priority) == (DEDUPLICATED, holder, 7)
    assert answer.task == api.get(holder, task_pb2.TASK_VIEW_BASIC)


def test_the_existing_task_is_returned_though_the_queue_is_full(api: Api, queue: str) -> None:
    key = uuid7()
    holder = api.submit_id(queue, uniqueness=rule(key))
    api.admin.UpdateQueue(admin_service_pb2.UpdateQueueRequest(name=queue, max_length=1), timeout=DEADLINE)
    assert refused(lambda: api.submit(queue)).reason == "QUEUE_FULL"
    answer = api.submit(queue, uniqueness=rule(key, Rule.ON_CONFLICT_RETURN_EXISTING))
    assert (answer.disposition, answer.task.task_id) == (DEDUPLICATED, holder)


def test_a_run_waits_for_the_existing_task(api: Api, queue: str) -> None:
    key = uuid7()
    holder = api.submit_id(queue, uniqueness=rule(key))
    spec = task_pb2.TaskSpec(name="t", queue=queue, uniqueness=rule(key, Rule.ON_CONFLICT_RETURN_EXISTING))
    run = api.tasks.RunTask.future(task_service_pb2.RunTaskRequest(task=spec), timeout=DEADLINE)
    api.succeed(api.stream(queue, credit=1).lease(), "[3]")
    answer = run.result()
    # The run may come before or after the end: either it waited for the holder, or the key was free again.
    assert answer.disposition in (DEDUPLICATED, CREATED)
    if answer.disposition == DEDUPLICATED:
        assert (answer.task.task_id, answer.done, answer.task.result.json) == (holder, True, "[3]")


def test_a_waiting_task_is_replaced(api: Api, queue: str) -> None:
    key = uuid7()
    first = api.submit_id(queue, uniqueness=rule(key))
    answer = api.submit(queue, uniqueness=rule(key, Rule.ON_CONFLICT_REPLACE))
    assert answer.disposition == REPLACED
    replaced = api.get(first)
    assert (replaced.state, replaced.cancel_reason) == (Task.STATE_REVOKED, f"replaced by {answer.task.task_id}")
    assert refused(lambda: api.submit(queue, uniqueness=rule(key))).metadata["task_id"] == answer.task.task_id
    assert api.stream(queue, credit=5).lease().task.task_id == answer.task.task_id


def test_a_task_that_a_worker_holds_is_not_replaced(api: Api, queue: str) -> None:
    key = uuid7()
    holder = api.submit_id(queue, uniqueness=rule(key))
    api.stream(queue, credit=1).lease()
    refusal = refused(lambda: api.submit(queue, uniqueness=rule(key, Rule.ON_CONFLICT_REPLACE)))
    assert (refusal.reason, refusal.metadata["task_id"]) == ("UNIQUE_CONFLICT", holder)
    assert api.get(holder).state == Task.STATE_LEASED


def test_repeating_the_submit_of_a_holder_is_one_task(api: Api, queue: str) -> None:
    key, task_id = uuid7(), uuid7()
    for expected in (CREATED, task_service_pb2.SUBMIT_DISPOSITION_ALREADY_SUBMITTED):
        assert api.submit(queue, task_id=task_id, uniqueness=rule(key)).disposition == expected


def test_a_key_is_one_within_a_batch_too(api: Api, queue: str) -> None:
    key = uuid7()
    kinds = [Rule.ON_CONFLICT_REJECT, Rule.ON_CONFLICT_REJECT, Rule.ON_CONFLICT_RETURN_EXISTING]
    specs = [task_pb2.TaskSpec(task_id=uuid7(), name="t", queue=queue, uniqueness=rule(key, kind)) for kind in kinds]
    requests = [task_service_pb2.SubmitTaskRequest(task=spec) for spec in specs]
    request = task_service_pb2.BatchSubmitTasksRequest(requests=requests)
    first, second, third = api.tasks.BatchSubmitTasks(request, timeout=DEADLINE).results
    assert first.response.disposition == CREATED
    assert second.error.message.startswith(f"task {specs[0].task_id!r} has the uniqueness key")
    assert (third.response.disposition, third.response.task.task_id) == (DEDUPLICATED, specs[0].task_id)


@pytest.mark.parametrize(
    ("field", "unfit"),
    [
        ("key", Rule()),
        ("key", Rule(key="k" * 256)),
        ("key", Rule(key="a\nb")),
        ("on_conflict", Rule(key="k", on_conflict=9)),  # type: ignore[arg-type]
        ("window", Rule(key="k", window=duration_pb2.Duration())),
        ("window", Rule(key="k", window=duration_pb2.Duration(seconds=2**40))),
    ],
)
def test_an_unfit_rule_is_refused(api: Api, queue: str, field: str, unfit: Rule) -> None:
    refusal = refused(lambda: api.submit(queue, uniqueness=unfit))
    assert (refusal.reason, refusal.metadata) == ("INVALID_FIELD", {"field": f"task.uniqueness.{field}"})


def test_reprs_are_shown_in_lists_and_are_no_part_of_the_identity(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue, args_repr="(1, 2)", kwargs_repr="{'a': 3}")
    spec = api.get(task_id, task_pb2.TASK_VIEW_BASIC).spec
    assert (spec.args_repr, spec.kwargs_repr) == ("(1, 2)", "{'a': 3}")
    again = api.submit(queue, task_id=task_id, args_repr="(1, ...)")
    assert again.disposition == task_service_pb2.SUBMIT_DISPOSITION_ALREADY_SUBMITTED


@pytest.mark.parametrize("field", ["args_repr", "kwargs_repr"])
def test_a_repr_has_its_limit(api: Api, queue: str, field: str) -> None:
    fitting: dict[str, Any] = {field: "é" * 1024}
    assert api.submit(queue, **fitting).disposition == CREATED
    refusal = refused(lambda: api.submit(queue, **{field: "x" * 1025}))
    assert (refusal.reason, refusal.metadata) == ("INVALID_FIELD", {"field": f"task.{field}"})


@pytest.mark.parametrize("kind", ["lost", "released"])
def test_at_most_once_a_started_task_is_never_handed_out_again(api: Api, queue: str, kind: str) -> None:
    task_id = api.submit_id(queue, ack_mode=ON_START)
    lease = api.stream(queue, credit=1).lease()
    assert api.report(lease, started=Report.Started()).state == Task.STATE_RUNNING
    what: dict[str, Any] = {"lost": Report.Lost(error=Error(message="gone"))} if kind == "lost" else {
        "released": Report.Released()
    }  # fmt: skip
    api.report(lease, **what)
    task = api.get(task_id)
    assert (task.state, task.error.kind) == (Task.STATE_FAILED, Error.KIND_WORKER_LOST)
    assert api.stream(queue, credit=1).is_quiet()


def test_at_most_once_as_the_worker_that_starts_it_says(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue)
    lease = api.stream(queue, credit=1).lease()
    assert api.report(lease, started=Report.Started(at_most_once=True)).state == Task.STATE_RUNNING
    api.report(lease, lost=Report.Lost(error=Error(message="gone")))
    task = api.get(task_id)
    assert (task.state, task.error.kind) == (Task.STATE_FAILED, Error.KIND_WORKER_LOST)


def test_at_most_once_a_task_that_has_not_started_is_handed_out_again(api: Api, queue: str) -> None:
    task_id = api.submit_id(queue, ack_mode=ON_START)
    api.report(api.stream(queue, credit=1).lease(), released=Report.Released())
    assert api.stream(queue, credit=1).lease().task.task_id == task_id


def test_at_most_once_a_vanished_worker_ends_the_task(
    gateways: Callable[..., GatewayProcess], connect: Callable[[str], Api], queue: str
) -> None:
    api = connect(gateways("--lease", "1", "--heartbeat", "0.3").target)
    once = api.submit_id(queue, ack_mode=ON_START)
    often = api.submit_id(queue)
    stream = api.stream(queue, credit=2)
    for lease in stream.leases(2):
        api.report(lease, started=Report.Started())
    stream.abandon()
    task = api.wait(once, 15).task
    assert (task.state, task.error.kind, task.delivery_count) == (Task.STATE_FAILED, Error.KIND_WORKER_LOST, 1)
    again = api.stream(queue, credit=2).lease()
    assert (again.task.task_id, again.delivery_count) == (often, 2)
