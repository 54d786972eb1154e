"""Running tasks add nodes to their workflows, or give their place to others."""

import pytest

from caraway_server.core.inputs import InputStart, ListBegin, ListEnd, Value
from caraway_server.core.task import State
from caraway_server.core.workflow import WorkflowState
from caraway_server.store.values import ReportKind
from store.flows import FIRST_ARG, Flows, edge, failing

S, F = State.SUCCEEDED, State.FAILED


async def test_a_replaced_task_ends_as_the_nodes_that_replaced_it(flows: Flows) -> None:
    await flows.submit(flows.chain("a", "b"))
    lease = await flows.kit.lease_one()
    nodes = [flows.task("x"), flows.task("y", edge("x", passing=FIRST_ARG), replaces="a")]
    answer = await flows.grow(lease, *nodes, output="y", depth=1)
    assert (answer.word, answer.state) == ("ok", State.REPLACED)
    await flows.advance()
    assert await flows.states("a", "b", "x", "y") == [State.REPLACED, State.BLOCKED, State.QUEUED, State.BLOCKED]
    await flows.end("x", blob=b"x")
    await flows.end("y", blob=b"value")
    record = await flows.kit.record("a")
    assert (record.state, record.result, record.replaced_by, record.attempt) == (S, b"value", "y", 1)
    assert (await flows.kit.lease_one()).handed == (InputStart(FIRST_ARG, "", "a"), Value(b"value"))


async def test_a_replaced_task_fails_with_its_replacement(flows: Flows) -> None:
    await flows.submit(flows.chain("a", "b"))
    await flows.grow(await flows.kit.lease_one(), flows.task("x", replaces="a"), output="x", depth=1)
    assert await flows.run(failing("x")) == ["x"]
    assert await flows.states("a", "b", "x") == [F, F, F]
    assert (await flows.kit.record("a")).error == b"broken"
    assert (await flows.kit.record("b")).blame == "a"


async def test_a_member_of_a_chord_is_replaced(flows: Flows) -> None:
    await flows.submit(flows.chord("body", "x", "y"))
    await flows.end("y", blob=b"y")
    await flows.grow(await flows.kit.lease_one(), flows.task("z", replaces="x"), output="z", depth=1)
    await flows.advance()
    assert await flows.kit.state("body") is State.BLOCKED
    await flows.end("z", blob=b"z")
    values = (await flows.kit.lease_one()).handed
    assert values == (InputStart(FIRST_ARG, "", "all"), ListBegin(), Value(b"z"), Value(b"y"), ListEnd())


async def test_replacements_nest(flows: Flows) -> None:
    await flows.submit(flows.chain("a", "b"))
    replaced = "a"
    for depth in range(1, 6):
        lease = await flows.kit.lease_one()
        assert lease.task_id == replaced
        output = f"r{depth}"
        await flows.grow(lease, flows.task(output, replaces=replaced), output=output, depth=depth)
        await flows.advance()
        assert (await flows.kit.record(output)).depth == depth
        replaced = output
    await flows.end("r5", blob=b"deep")
    assert (await flows.kit.record("a")).result == b"deep"
    assert await flows.run() == ["b"]


async def test_a_lone_task_is_replaced_in_a_workflow_of_its_own(flows: Flows) -> None:
    await flows.kit.submit("a")
    await flows.grow(await flows.kit.lease_one(), flows.task("x", replaces="a"), output="x", depth=1)
    await flows.advance()
    await flows.end("x", blob=b"value")
    record = await flows.kit.record("a")
    assert (record.state, record.result) == (S, b"value")
    workflow = await flows.record(record.workflow)
    assert (workflow.state, workflow.accepted) == (WorkflowState.SUCCEEDED, 2)


async def test_the_workflow_of_a_lone_task_is_kept_as_long_as_the_task_was_to_be(flows: Flows) -> None:
    await flows.kit.submit("a", result_ttl=50_000)
    await flows.grow(await flows.kit.lease_one(), flows.task("x", replaces="a"), output="x", depth=1)
    await flows.run()
    workflow = await flows.record("of.a")
    assert workflow.purge - workflow.ended_at == 50_000_000_000


async def test_the_report_of_a_replacement_may_be_repeated(flows: Flows) -> None:
    await flows.submit(flows.chain("a"))
    lease = await flows.kit.lease_one()
    nodes = [flows.task("x", replaces="a")]
    for _ in range(2):
        assert (await flows.grow(lease, *nodes, output="x", depth=1)).word == "ok"
    assert await flows.run() == ["x"]
    assert (await flows.grow(lease, *nodes, output="x", depth=1)).word == "ok"
    assert (await flows.record()).accepted == 2


async def test_a_stale_worker_replaces_nothing(flows: Flows) -> None:
    await flows.submit(flows.chain("a"))
    lease = await flows.kit.lease_one()
    await flows.kit.report(ReportKind.RELEASED, lease)
    await flows.kit.lease_one()
    assert (await flows.grow(lease, flows.task("x", replaces="a"), output="x")).word == "lease_lost"
    assert (await flows.grow(lease, flows.task("x"))).word == "lease_lost"
    await flows.advance()
    assert await flows.kit.state("x") is None


async def test_nodes_come_with_a_success(flows: Flows) -> None:
    await flows.submit(flows.chain("a", "b"))
    lease = await flows.kit.lease_one()
    await flows.grow(lease, flows.task("x", edge("a", passing=FIRST_ARG)), flows.task("y", "x"), blob=b"value")
    assert sorted(await flows.run()) == ["b", "x", "y"]
    assert (await flows.record()).state is WorkflowState.SUCCEEDED


async def test_a_member_adds_another_to_its_chord(flows: Flows) -> None:
    await flows.submit(flows.chord("body", "x"))
    lease = await flows.kit.lease_one()
    await flows.grow(lease, flows.task("y"), flows.collect("all", "y", extends=True), blob=b"x")
    await flows.advance()
    assert await flows.kit.state("body") is State.BLOCKED
    await flows.end("y", blob=b"y")
    values = (await flows.kit.lease_one()).handed
    assert values == (InputStart(FIRST_ARG, "", "all"), ListBegin(), Value(b"x"), Value(b"y"), ListEnd())


async def test_a_chord_that_is_over_takes_no_more(flows: Flows) -> None:
    await flows.submit(flows.chord("body", "x"))
    await flows.end("x")
    lease = await flows.kit.lease_one()
    await flows.grow(lease, flows.task("y"), flows.collect("all", "y", extends=True))
    await flows.advance()
    record = await flows.record()
    assert record.state is WorkflowState.FAILED
    assert "all" in record.error_text


async def test_a_task_that_was_asked_to_stop_is_revoked_and_not_replaced(flows: Flows) -> None:
    await flows.submit(flows.chain("a", "b"))
    lease = await flows.kit.lease_one()
    await flows.kit.store.revoke(["a"], "p")
    assert (await flows.grow(lease, flows.task("x", replaces="a"), output="x")).state == State.REVOKED
    await flows.advance()
    assert await flows.states("a", "b", "x") == [State.REVOKED, F, None]


@pytest.mark.parametrize("made", [True, False])
async def test_revoking_a_replaced_task_revokes_what_replaced_it(flows: Flows, made: bool) -> None:
    await flows.submit(flows.chain("a", "b"))
    nodes = [flows.task("x"), flows.task("y", "x", replaces="a")]
    await flows.grow(await flows.kit.lease_one(), *nodes, output="y", depth=1)
    if made:
        await flows.advance()
    assert await flows.kit.store.revoke(["a"], "p") == ["revoked" if made else "cancel_requested"]
    await flows.advance()
    assert await flows.states("a", "b", "y") == [State.REVOKED, F, State.REVOKED]
    await flows.run()
    assert (await flows.record()).state is WorkflowState.FAILED


async def test_a_cancelled_workflow_starts_no_replacement(flows: Flows) -> None:
    await flows.submit(flows.chain("a", "b"))
    lease = await flows.kit.lease_one()
    await flows.workflows.cancel("w", "p", "enough")
    await flows.grow(lease, flows.task("x"), flows.task("y", "x", replaces="a"), output="y", depth=1)
    await flows.advance()
    assert await flows.states("x", "y", "a", "b") == [State.REVOKED] * 4
    assert (await flows.record()).state is WorkflowState.CANCELLED


async def test_a_retry_runs_the_replacement_and_not_the_replaced(flows: Flows) -> None:
    await flows.submit(flows.chain("a", "b"))
    await flows.grow(
        await flows.kit.lease_one(), flows.task("x"), flows.task("y", "x", replaces="a"), output="y", depth=1
    )
    await flows.run(failing("y"))
    assert (await flows.record()).state is WorkflowState.FAILED
    await flows.workflows.retry("w")
    assert await flows.run() == ["y", "b"]
    assert (await flows.record()).state is WorkflowState.SUCCEEDED
    assert (await flows.kit.record("a")).result == b"y"


async def test_a_replaced_task_that_keeps_no_result_keeps_none(flows: Flows) -> None:
    await flows.submit([flows.task("a", ignore_result=True)])
    await flows.grow(await flows.kit.lease_one(), flows.task("x", replaces="a"), output="x", depth=1)
    await flows.run()
    assert (await flows.kit.record("a")).result is None
