"""Workflows that come in parts, and producers that give up or vanish."""

import pytest

from caraway_server.core.inputs import InputStart, Value
from caraway_server.core.task import State
from caraway_server.core.workflow import On, WorkflowState
from caraway_server.store.values import ReportKind
from store.flows import FIRST_ARG, Flows, edge

S, F = State.SUCCEEDED, State.FAILED


async def test_nodes_start_as_their_part_arrives_and_an_open_join_waits_for_the_seal(flows: Flows) -> None:
    await flows.open([flows.collect("all", open=True)])
    for part in (1, 2):
        node_id = f"n{part}"
        appended = await flows.append(part, flows.task(node_id), flows.collect("all", node_id, extends=True))
        assert (appended.word, appended.last_part) == ("made", part)
        await flows.end(node_id)
    await flows.append(3, flows.task("body", edge("all", passing=FIRST_ARG)))
    await flows.advance()
    assert await flows.states("all", "body") == [State.BLOCKED, State.BLOCKED]
    sealed = await flows.workflows.seal("w")
    assert sealed is not None
    assert not sealed.open
    await flows.advance()
    assert await flows.states("all", "body") == [S, State.QUEUED]
    assert await flows.run() == ["body"]
    assert (await flows.record()).state is WorkflowState.SUCCEEDED


async def test_a_part_may_be_repeated(flows: Flows) -> None:
    await flows.open()
    assert (await flows.append(1, flows.task("a"))).word == "made"
    assert (await flows.append(1, flows.task("a"))).word == "known"
    assert (await flows.append(3, flows.task("c"))).word == "missing"
    assert (await flows.record()).accepted == 1


async def test_a_large_part_is_made_in_pieces_and_may_be_repeated(flows: Flows) -> None:
    nodes = [flows.task(f"n{number}") for number in range(1200)]
    await flows.open()
    assert (await flows.append(1, *nodes)).word == "made"
    assert (await flows.append(1, *nodes)).word == "known"
    assert (await flows.record()).made == 1200


@pytest.mark.parametrize("count", [1, 124, 125, 200, 249, 250, 700])
async def test_a_join_of_nodes_that_have_ended(flows: Flows, count: int) -> None:
    ids = [f"n{number}" for number in range(count)]
    await flows.open([flows.task(node_id) for node_id in ids])
    await flows.run()
    assert (await flows.append(1, flows.collect("all", *ids), flows.task("body", "all"))).word == "made"
    assert await flows.run() == ["body"]
    await flows.workflows.seal("w")
    await flows.advance()
    assert (await flows.record()).state is WorkflowState.SUCCEEDED


async def test_a_wide_join_in_a_part(flows: Flows) -> None:
    await flows.open()
    header = [f"h{number}" for number in range(700)]
    assert (await flows.append(1, *flows.chord("body", *header))).word == "made"
    await flows.workflows.seal("w")
    ran = await flows.run()
    assert (ran[-1], len(ran)) == ("body", 701)


async def test_a_part_that_comes_after_the_ends_of_earlier_ones(flows: Flows) -> None:
    await flows.open([flows.task("a")])
    await flows.end("a", blob=b"value")
    await flows.append(1, flows.task("b", edge("a", passing=FIRST_ARG)), flows.task("handler", edge("a", On.FAILURE)))
    await flows.advance()
    assert await flows.states("b", "handler") == [State.QUEUED, State.SKIPPED]
    assert (await flows.kit.lease_one()).handed == (InputStart(FIRST_ARG, "", "a"), Value(b"value"))
    await flows.workflows.seal("w")
    await flows.advance()


async def test_a_part_that_is_not_sound_changes_nothing(flows: Flows) -> None:
    await flows.open([flows.task("a"), flows.collect("all", "a")])
    assert (await flows.append(1, flows.task("b"), flows.task("a"))).word == "taken"
    assert (await flows.append(1, flows.task("b", "nowhere"))).about == "nowhere"
    assert (await flows.append(1, flows.task("b"), flows.collect("all", "b", extends=True))).word == "closed"
    assert await flows.kit.state("b") is None
    assert (await flows.append(1, flows.task("b"))).word == "made"


async def test_what_comes_after_an_open_join_closes_it(flows: Flows) -> None:
    # Or what is added could come after what waits for it: a cycle.
    await flows.open([flows.collect("all", open=True), flows.task("body", "all")])
    extended = await flows.append(1, flows.task("b", "body"), flows.collect("all", "b", extends=True))
    assert (extended.word, extended.about) == ("closed", "all")
    await flows.workflows.seal("w")
    assert await flows.run() == ["body"]


async def test_a_sealed_workflow_takes_no_more(flows: Flows) -> None:
    await flows.open([flows.task("a")])
    await flows.workflows.seal("w")
    assert (await flows.append(1, flows.task("b"))).word == "not_open"
    assert (await flows.append(0)).word == "not_open"
    await flows.workflows.seal("w")
    assert await flows.run() == ["a"]
    assert (await flows.record()).state is WorkflowState.SUCCEEDED


async def test_an_open_workflow_without_nodes_ends_with_its_seal(flows: Flows) -> None:
    await flows.open()
    await flows.advance()
    assert (await flows.record()).state is WorkflowState.RUNNING
    await flows.workflows.seal("w")
    await flows.advance()
    assert (await flows.record()).state is WorkflowState.SUCCEEDED


async def test_nodes_of_a_workflow_have_a_limit(flows: Flows) -> None:
    flows.kit.limit(max_workflow_nodes=2)
    await flows.open([flows.task("a")])
    assert (await flows.append(1, flows.task("b"), flows.task("c"))).word == "full"
    assert (await flows.append(1, flows.task("b"))).word == "made"


async def test_a_producer_that_gives_up_ends_the_workflow_and_leaves_nothing_running(flows: Flows) -> None:
    await flows.open([flows.task("a"), *flows.chain("b", "c"), flows.collect("all", "a", open=True)])
    lease = (await flows.kit.lease(1))[0]
    sealed = await flows.workflows.seal("w", b"no more milk", "the producer gave up")
    assert sealed is not None
    await flows.advance()
    assert await flows.states("b", "c", "all") == [State.REVOKED] * 3
    assert (await flows.record()).state is WorkflowState.RUNNING, "one still runs"
    record = await flows.kit.record(lease.task_id)
    assert (record.cancel_mode, record.cancel_reason) == ("t", "the producer gave up")
    await flows.kit.report(ReportKind.CANCELLED, lease)
    await flows.advance()
    workflow = await flows.record()
    assert (workflow.state, workflow.error) == (WorkflowState.FAILED, b"no more milk")


async def test_a_producer_that_vanishes_does_too(flows: Flows) -> None:
    await flows.open([flows.task("a"), flows.task("b", "a")], lease=10)
    await flows.kit.advance(8)
    await flows.append(0)
    await flows.kit.advance(8)
    await flows.advance()
    assert (await flows.record()).open, "it was heard of"
    await flows.kit.advance(3)
    await flows.advance()
    assert await flows.states("a", "b") == [State.REVOKED, State.REVOKED]
    record = await flows.record()
    assert (record.state, record.error, record.open) == (WorkflowState.FAILED, b"lapsed", False)


async def test_the_relay_knows_when_a_producer_is_due(flows: Flows) -> None:
    await flows.open(lease=10)
    following = (await flows.workflows.advance()).next_in
    assert following is not None
    assert 8 < following <= 10
    await flows.workflows.seal("w")
    await flows.advance()
    assert (await flows.workflows.advance()).next_in is None
