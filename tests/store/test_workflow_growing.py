"""Workflows accepted, also large ones; cancelling, running again, keeping."""

import pytest

from caraway_server.core.inputs import InputStart, Value
from caraway_server.core.task import State
from caraway_server.core.workflow import On, WorkflowState
from caraway_server.store.batches import MOST_IN_ONE_BATCH
from caraway_server.store.values import ReportKind
from store.flows import FIRST_ARG, Flows, edge, failing
from store.kit import micros

S, F = State.SUCCEEDED, State.FAILED


# -- accepting ----------------------------------------------------------------------------------------------------


async def test_the_same_submit_twice_is_one_workflow(flows: Flows) -> None:
    await flows.submit(flows.chain("a", "b"))
    again = await flows.take(flows.chain("a", "b"))
    assert (again.word, again.record and again.record.accepted) == ("known", 2)
    assert await flows.run() == ["a", "b"]
    assert (await flows.take(flows.chain("a", "b"))).word == "known"


async def test_an_id_with_another_spec_is_refused(flows: Flows) -> None:
    await flows.submit(flows.chain("a", "b"))
    assert (await flows.take(flows.chain("c", "d"), fingerprint=b"other")).word == "conflict"
    assert await flows.states("c", "d") == [None, None]


async def test_a_node_whose_id_is_taken_refuses_all(flows: Flows) -> None:
    await flows.kit.submit("b")
    accepted = await flows.take(flows.chain("a", "b"))
    assert (accepted.word, accepted.about) == ("taken", "b")
    assert await flows.workflows.get("w") is None
    assert await flows.kit.state("a") is None


async def test_an_edge_from_nowhere_refuses_all(flows: Flows) -> None:
    accepted = await flows.take([flows.task("a"), flows.task("b", "nowhere")])
    assert (accepted.word, accepted.about) == ("unknown", "nowhere")
    assert await flows.kit.state("a") is None


@pytest.mark.parametrize("count", [1, 600])
async def test_an_instant_too_far_ahead_refuses_all(flows: Flows, count: int) -> None:
    far = await flows.kit.now() + micros(11 * 365 * 86400)
    nodes = [flows.task(f"n{number}", at=far if number == 0 else 0) for number in range(count)]
    assert (await flows.take(nodes)).word == "too_far"
    assert await flows.kit.state("n0") is None
    await flows.open()
    assert (await flows.append(1, *nodes)).word == "too_far"
    await flows.workflows.seal("w")
    await flows.advance()


async def test_a_full_queue_refuses_all(flows: Flows) -> None:
    flows.kit.limit(max_queue_length=2)
    accepted = await flows.take([flows.task(node_id) for node_id in "abc"])
    assert (accepted.word, accepted.about) == ("queue_full", "q")
    await flows.submit(flows.chain("a", "b", "c"))


async def test_a_large_workflow_is_accepted_in_one_write_and_made_in_batches(flows: Flows) -> None:
    ids = [f"n{number}" for number in range(1200)]
    accepted = await flows.submit(flows.chain(*ids))
    assert (accepted.accepted, accepted.made) == (1200, 0)
    assert await flows.advance() >= 2400 / MOST_IN_ONE_BATCH  # nodes and edges
    record = await flows.record()
    assert (record.made, record.blocked) == (1200, 1199)
    assert await flows.workflows.node_ids("w", 0, 2) == ["n0", "n1"]


async def test_a_node_that_can_not_be_made_ends_a_large_workflow(flows: Flows) -> None:
    ids = [f"n{number}" for number in range(600)]
    await flows.submit(flows.chain(*ids))
    await flows.kit.submit("n550")
    await flows.advance()
    record = await flows.record()
    assert record.state is WorkflowState.FAILED
    assert "n550" in record.error_text
    assert await flows.states("n0", "n400", "n599") == [State.REVOKED, State.REVOKED, None]


async def test_a_chord_of_thousands(flows: Flows) -> None:
    header = [f"h{number}" for number in range(3000)]
    await flows.submit(flows.chord("body", *header))
    await flows.advance()
    assert await flows.kit.state("body") is State.BLOCKED
    ran = await flows.run()
    assert ran[-1] == "body"
    assert sorted(ran[:-1]) == sorted(header)
    assert (await flows.kit.record("all")).members_succeeded == 3000
    assert (await flows.record()).state is WorkflowState.SUCCEEDED


async def test_a_collect_waits_for_edges_that_are_not_made_yet(flows: Flows) -> None:
    # Its header is made in several batches, and runs in between.
    header = [f"h{number}" for number in range(700)]
    await flows.submit(flows.chord("body", *header))
    ran = []
    while (await flows.workflows.advance()).next_in == 0.0:
        for lease in await flows.kit.lease(1000):
            await flows.kit.report(ReportKind.SUCCEEDED, lease)
            ran.append(lease.task_id)
    ran += await flows.run()
    assert ran[-1] == "body"
    assert len(ran) == 701


# -- cancelling ---------------------------------------------------------------------------------------------------


async def test_a_cancelled_workflow_starts_nothing_more(flows: Flows) -> None:
    handler = flows.task("handler", edge("a", On.FAILURE))
    await flows.submit([*flows.chain("a", "b", "c"), handler, flows.collect("all", "a"), flows.task("x", delay=60)])
    lease = (await flows.kit.lease(1))[0]
    await flows.workflows.cancel("w", "p", "enough")
    await flows.advance()
    assert await flows.states("b", "c", "handler", "all", "x") == [State.REVOKED] * 5
    assert (await flows.kit.record("b")).cancel_reason == "enough"
    await flows.kit.report(ReportKind.SUCCEEDED, lease)
    await flows.advance()
    record = await flows.record()
    assert (record.state, record.cancel_reason) == (WorkflowState.CANCELLED, "enough")
    assert dict(record.ended) == {S: 1, State.REVOKED: 5}


async def test_cancelling_a_large_workflow_takes_bounded_passes(flows: Flows) -> None:
    await flows.submit([flows.task(f"n{number}") for number in range(1200)])
    await flows.advance()
    await flows.workflows.cancel("w", "c", "enough")
    assert await flows.advance() >= 2 * 1200 / MOST_IN_ONE_BATCH  # each is revoked, and its end is told
    record = await flows.record()
    assert (record.state, dict(record.ended)) == (WorkflowState.CANCELLED, {State.REVOKED: 1200})


async def test_a_workflow_that_ended_stays_as_it_was(flows: Flows) -> None:
    await flows.submit(flows.chain("a"))
    await flows.run()
    record = await flows.workflows.cancel("w", "t", "late")
    assert record is not None
    assert (record.state, record.cancel_reason) == (WorkflowState.SUCCEEDED, "")
    assert await flows.workflows.cancel("other", "t", "late") is None


# -- running again ------------------------------------------------------------------------------------------------


async def test_a_retry_runs_what_failed_and_what_hangs_on_it(flows: Flows) -> None:
    handler = flows.task("handler", edge("b", On.FAILURE))
    other = [flows.task("x"), flows.collect("all", "x", "b"), flows.task("body", edge("all", passing=FIRST_ARG))]
    await flows.submit([*flows.chain("a", "b", "c"), *other, handler])
    ran = await flows.run(failing("b"))
    assert sorted(ran) == ["a", "b", "handler", "x"]
    word, record = await flows.workflows.retry("w")
    assert (word, record and record.state) == ("retried", WorkflowState.RUNNING)
    assert sorted(await flows.run()) == ["b", "body", "c"]
    record = await flows.record()
    assert (record.state, record.blame, dict(record.ended)) == (WorkflowState.SUCCEEDED, "", {S: 7})


async def test_a_retry_of_what_is_skipped_decides_anew(flows: Flows) -> None:
    await flows.submit([*flows.chain("a", "b"), flows.task("handler", edge("b", On.OWN_FAILURE))])
    await flows.run(failing("a"))
    assert await flows.states("b", "handler") == [F, State.SKIPPED]
    await flows.workflows.retry("w")
    assert await flows.run(failing("b")) == ["a", "b", "handler"]


async def test_a_cancelled_workflow_can_be_run_again(flows: Flows) -> None:
    await flows.submit(flows.chain("a", "b"))
    await flows.workflows.cancel("w", "p", "enough")
    await flows.advance()
    assert (await flows.workflows.retry("w"))[0] == "retried"
    assert await flows.run() == ["a", "b"]
    assert (await flows.record()).cancel_reason == ""


async def test_what_can_not_be_run_again(flows: Flows) -> None:
    assert (await flows.workflows.retry("w"))[0] == "not_found"
    await flows.submit(flows.chain("a", "b"))
    assert (await flows.workflows.retry("w"))[0] == "unchanged", "it runs"
    await flows.run(failing("b"))
    assert await flows.kit.store.delete(["a"]) == ["deleted"]
    assert (await flows.workflows.retry("w"))[0] == "incomplete"
    await flows.open([flows.task("x")], "given-up")
    await flows.workflows.seal("given-up", b"error", "gave up")
    await flows.advance()
    assert (await flows.workflows.retry("given-up"))[0] == "given_up"


async def test_a_large_retry_takes_bounded_passes(flows: Flows) -> None:
    ids = [f"n{number}" for number in range(1500)]
    await flows.submit([flows.task("a"), *(flows.task(node_id, "a") for node_id in ids), flows.collect("all", *ids)])
    await flows.run(failing("a"))
    await flows.workflows.retry("w")
    assert await flows.advance() >= 2 * 1500 / MOST_IN_ONE_BATCH  # each is reset, then looked at again
    assert len(await flows.run()) == 1501
    assert await flows.kit.state("all") is S


# -- keeping ------------------------------------------------------------------------------------------------------


async def test_a_result_is_kept_as_long_as_its_workflow(flows: Flows) -> None:
    nodes = [flows.task("a", result_ttl=10), flows.task("b", edge("a", passing=FIRST_ARG), delay=5000)]
    await flows.submit(nodes)
    await flows.end("a", blob=b"value")
    assert await flows.kit.store.delete(["a"]) == ["needed"]
    await flows.kit.advance(5001)
    await flows.kit.prune()
    await flows.kit.promote()
    assert (await flows.kit.lease_one()).handed == (InputStart(FIRST_ARG, "", "a"), Value(b"value"))


async def test_a_node_is_not_sent_back_alone(flows: Flows) -> None:
    await flows.submit(flows.chain("a"))
    await flows.run(failing("a"))
    assert await flows.kit.store.requeue(["a"]) == ["not_retryable"]


async def test_a_node_that_asks_for_longer_lengthens_the_workflows_time(flows: Flows) -> None:
    await flows.submit([flows.task("a", result_ttl=50_000)])
    await flows.run()
    record = await flows.record()
    assert record.purge - record.ended_at == micros(50_000)


@pytest.mark.parametrize("count", [3, 700])
async def test_after_workflows_an_empty_system_is_back_to_its_baseline(flows: Flows, count: int) -> None:
    kit = flows.kit
    await kit.ended()
    await kit.reap()
    await kit.advance(3600)
    await kit.prune()
    await kit.advance(601)
    await kit.prune()
    before = sorted(await kit.redis.keys("*"))
    ids = [f"n{number}" for number in range(count)]
    await flows.submit([flows.task("a"), *(flows.task(node_id, "a") for node_id in ids), flows.collect("all", *ids)])
    await flows.open([flows.collect("open", open=True)], "other")
    await flows.workflows.cancel("other", "p", "")
    await flows.run()
    await kit.advance(3700)
    await prune(flows)
    assert await flows.workflows.get("w") is None
    assert (await flows.take(flows.chain("a"))).word == "deleted", "the id is still known"
    await kit.advance(601)
    await prune(flows)
    assert sorted(await kit.redis.keys("*")) == before


async def prune(flows: Flows) -> None:
    """All that both pruners have to do."""
    while True:
        pruned = [await flows.kit.prune(), await flows.workflows.prune(200)]
        if all(done.next_in != 0.0 for done in pruned):
            return
