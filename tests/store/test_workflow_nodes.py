"""Nodes of workflows: when they run, when they fail with others, when they are not needed."""

import pytest

from caraway_server.core.inputs import Failed, InputStart, ListBegin, ListEnd, Value
from caraway_server.core.task import State
from caraway_server.core.workflow import On, WorkflowState
from caraway_server.store.values import ReportKind
from store.flows import FIRST_ARG, KWARG, LIST, Flows, edge, failing

S, F = State.SUCCEEDED, State.FAILED


async def test_a_chain_runs_in_order(flows: Flows) -> None:
    await flows.submit(flows.chain("a", "b", "c"))
    assert await flows.states("a", "b", "c") == [State.QUEUED, State.BLOCKED, State.BLOCKED]
    assert await flows.run() == ["a", "b", "c"]
    record = await flows.record()
    assert record.state is WorkflowState.SUCCEEDED
    assert (record.accepted, record.blocked, dict(record.ended)) == (3, 0, {S: 3})


async def test_a_link_of_a_chain_takes_what_the_one_before_returned(flows: Flows) -> None:
    await flows.submit(flows.chain("a", "b"))
    await flows.end("a", blob=b"value of a")
    lease = await flows.kit.lease_one()
    assert lease.handed == (InputStart(FIRST_ARG, "", "a"), Value(b"value of a"))
    assert not lease.more_inputs


async def test_the_body_of_a_chord_takes_the_list_in_the_order_of_the_edges(flows: Flows) -> None:
    await flows.submit(flows.chord("body", "x", "y", "z"))
    for node_id in ("z", "x", "y"):
        assert await flows.kit.state("body") is State.BLOCKED
        await flows.end(node_id, blob=node_id.encode())
    assert await flows.kit.state("all") is S
    lease = await flows.kit.lease_one()
    values = [Value(b"x"), Value(b"y"), Value(b"z")]
    assert lease.handed == (InputStart(FIRST_ARG, "", "all"), ListBegin(), *values, ListEnd())


async def test_several_edges_hand_on_in_their_order(flows: Flows) -> None:
    last = flows.task("last", edge("b", passing=LIST), edge("a", passing=KWARG, kwarg="key"), edge("c"))
    await flows.submit([flows.task("a"), flows.task("b"), flows.task("c"), last])
    for node_id in ("a", "b", "c"):
        await flows.end(node_id, blob=node_id.encode())
    assert (await flows.kit.lease_one()).handed == (
        InputStart(LIST, "", "b"), Value(b"b"), InputStart(KWARG, "key", "a"), Value(b"a"),
    )  # fmt: skip


async def test_collects_nest(flows: Flows) -> None:
    nodes = [
        *(flows.task(node_id) for node_id in "abc"), flows.collect("inner", "a", "b"),
        flows.collect("outer", "inner", "c"), flows.collect("empty"),
        flows.task("body", edge("outer", passing=FIRST_ARG), edge("empty", passing=LIST)),
    ]  # fmt: skip
    await flows.submit(nodes)
    for node_id in "abc":
        await flows.end(node_id, blob=node_id.encode())
    assert (await flows.kit.lease_one()).handed == (
        InputStart(FIRST_ARG, "", "outer"), ListBegin(), ListBegin(), Value(b"a"), Value(b"b"), ListEnd(), Value(b"c"),
        ListEnd(), InputStart(LIST, "", "empty"), ListBegin(), ListEnd(),
    )  # fmt: skip


async def test_what_comes_after_a_failed_node_fails_with_it(flows: Flows) -> None:
    await flows.submit(flows.chain("a", "b", "c"))
    assert await flows.run(failing("a")) == ["a"]
    assert await flows.states("a", "b", "c") == [F, F, F]
    record = await flows.kit.record("c")
    assert record.blame == "a", "the one that failed by itself"
    assert record.culprit is not None
    assert record.culprit.error == b"broken"
    workflow = await flows.record()
    assert (workflow.state, workflow.blame) == (WorkflowState.FAILED, "a")
    assert workflow.culprit is not None
    assert workflow.culprit.error == b"broken"


@pytest.mark.parametrize(
    ("kind", "state"),
    [(ReportKind.FAILED, F), (ReportKind.REJECTED, State.REJECTED), (ReportKind.CANCELLED, State.REVOKED)],
)
async def test_these_ends_are_failures(flows: Flows, kind: ReportKind, state: State) -> None:
    await flows.submit([*flows.chain("a", "b"), flows.task("handler", edge("a", On.FAILURE, FIRST_ARG))])
    await flows.end("a", kind, b"broken")
    assert await flows.states("a", "b", "handler") == [state, F, State.QUEUED]


async def test_expiry_is_a_failure(flows: Flows) -> None:
    await flows.submit([flows.task("a", until=await flows.kit.now() + 5_000_000), flows.task("b", "a")])
    await flows.kit.advance(6)
    await flows.kit.expire()
    await flows.advance()
    assert await flows.states("a", "b") == [State.EXPIRED, F]


async def test_quarantine_is_a_failure(flows: Flows) -> None:
    await flows.submit(flows.chain("a", "b"))
    flows.kit.limit(max_lost=1)
    await flows.kit.report(ReportKind.LOST, await flows.kit.lease_one(), blob=b"lost")
    await flows.advance()
    assert await flows.states("a", "b") == [F, F]


async def test_an_ignored_task_completes_joins_and_sends_nothing_on(flows: Flows) -> None:
    nodes = [flows.task("a"), flows.task("b"), flows.collect("all", "a", "b"), flows.task("after", "a")]
    await flows.submit([*nodes, flows.task("body", edge("all", passing=FIRST_ARG)), flows.task("last", "after")])
    await flows.end("a", ReportKind.IGNORED)
    await flows.end("b", blob=b"b")
    assert await flows.states("all", "after", "last") == [S, State.SKIPPED, State.SKIPPED]
    lease = await flows.kit.lease_one()
    assert lease.handed == (InputStart(FIRST_ARG, "", "all"), ListBegin(), Value(b""), Value(b"b"), ListEnd())
    await flows.kit.report(ReportKind.SUCCEEDED, lease)
    await flows.advance()
    assert (await flows.record()).state is WorkflowState.SUCCEEDED, "nothing failed"


async def test_a_header_that_fails_fails_the_body_once_with_the_first_error_in_order(flows: Flows) -> None:
    handler = flows.task("handler", edge("body", On.FAILURE, FIRST_ARG))
    await flows.submit([*flows.chord("body", "x", "y", "z"), handler])
    await flows.end("z", ReportKind.FAILED, b"z broke first")
    assert await flows.kit.state("body") is State.BLOCKED, "the others still run"
    await flows.end("y", ReportKind.FAILED, b"y broke")
    await flows.end("x")
    assert await flows.states("all", "body", "handler") == [F, F, State.QUEUED]
    assert (await flows.kit.record("body")).blame == "y"
    lease = await flows.kit.lease_one()
    start, failed = lease.handed
    assert start == InputStart(FIRST_ARG, "", "body")
    assert isinstance(failed, Failed)
    assert (failed.record.task_id, failed.record.blame) == ("body", "y")
    assert failed.record.culprit is not None
    assert failed.record.culprit.error == b"y broke"
    assert await flows.run() == []


async def test_a_collect_of_all_ends_hands_failures_on(flows: Flows) -> None:
    nodes = [flows.task("a"), flows.task("b"), flows.collect("all", edge("a", On.TERMINAL), edge("b", On.TERMINAL))]
    await flows.submit([*nodes, flows.task("body", edge("all", passing=FIRST_ARG))])
    await flows.end("a", ReportKind.FAILED, b"broken")
    await flows.end("b", blob=b"b")
    parts = (await flows.kit.lease_one()).handed
    assert isinstance(parts[2], Failed)
    assert parts[2].record.error == b"broken"
    assert parts[3] == Value(b"b")


async def test_an_error_edge_fires_once_however_many_fail(flows: Flows) -> None:
    handler = flows.task("handler", *(edge(node_id, On.FAILURE, FIRST_ARG) for node_id in "abc"))
    await flows.submit([*flows.chain("a", "b", "c"), handler])
    ran = await flows.run(failing("b"))
    assert ran == ["a", "b", "handler"]


async def test_an_error_edge_hands_on_the_first_failure_alone(flows: Flows) -> None:
    handler = flows.task("handler", *(edge(node_id, On.FAILURE, FIRST_ARG) for node_id in "abc"))
    await flows.submit([*(flows.task(node_id) for node_id in "abc"), handler])
    await flows.end("a")
    await flows.end("c", ReportKind.FAILED, b"c")
    await flows.end("b", ReportKind.FAILED, b"b")
    parts = (await flows.kit.lease_one()).handed
    assert [part.record.task_id for part in parts if isinstance(part, Failed)] == ["b"]
    assert len(parts) == 2


async def test_an_error_edge_that_never_fires_leaves_its_node_out(flows: Flows) -> None:
    await flows.submit(
        [*flows.chain("a", "b"), flows.task("handler", edge("b", On.FAILURE)), flows.task("x", "handler")]
    )
    assert await flows.run() == ["a", "b"]
    assert await flows.states("handler", "x") == [State.SKIPPED, State.SKIPPED]
    assert (await flows.record()).state is WorkflowState.SUCCEEDED


async def test_own_failure_is_not_that_of_a_node_before(flows: Flows) -> None:
    nodes = [
        *flows.chain("a", "b"),
        flows.task("own", edge("b", On.OWN_FAILURE)),
        flows.task("any", edge("b", On.FAILURE)),
    ]
    await flows.submit(nodes)
    assert await flows.run(failing("a")) == ["a", "any"]
    assert await flows.kit.state("own") is State.SKIPPED


async def test_a_terminal_edge_fires_on_every_end(flows: Flows) -> None:
    nodes = [flows.task(node_id) for node_id in "abc"]
    await flows.submit([*nodes, flows.task("finally", *(edge(node_id, On.TERMINAL) for node_id in "abc"))])
    await flows.end("a", ReportKind.FAILED)
    await flows.end("b", ReportKind.IGNORED)
    await flows.end("c")
    assert await flows.kit.state("finally") is State.QUEUED


async def test_a_delay_counts_from_when_the_node_is_ready(flows: Flows) -> None:
    await flows.submit([flows.task("a"), flows.task("b", "a", delay=10, ttl=30)])
    await flows.kit.advance(100)
    await flows.end("a")
    assert await flows.kit.state("b") is State.SCHEDULED
    await flows.kit.advance(11)
    await flows.kit.promote()
    assert await flows.kit.state("b") is State.QUEUED
    await flows.kit.advance(20)
    await flows.kit.expire()
    assert await flows.kit.state("b") is State.EXPIRED


async def test_an_instant_that_has_passed_expires_a_node_that_waits(flows: Flows) -> None:
    await flows.submit(
        [flows.task("a"), flows.task("b", "a", until=await flows.kit.now() + 5_000_000), flows.task("c", "b")]
    )
    await flows.kit.advance(6)
    await flows.kit.expire()
    await flows.advance()
    assert await flows.states("a", "b", "c") == [State.QUEUED, State.EXPIRED, F]
    await flows.end("a")
    assert (await flows.record()).state is WorkflowState.FAILED
    assert (await flows.record()).blocked == 0


async def test_a_node_that_waits_can_be_revoked(flows: Flows) -> None:
    await flows.submit(flows.chain("a", "b", "c"))
    assert await flows.kit.store.revoke(["b"], "p") == ["revoked"]
    await flows.advance()
    assert await flows.states("a", "b", "c") == [State.QUEUED, State.REVOKED, F]
    await flows.end("a")
    assert (await flows.record()).blocked == 0


async def test_one_end_reaches_any_number_of_successors(flows: Flows) -> None:
    count = 1500
    nodes = [flows.task("a"), *(flows.task(f"b{n}", "a") for n in range(count)), flows.task("c", "b7")]
    await flows.submit([*nodes[:1], *nodes[1:]])
    await flows.advance()
    await flows.end("a")
    assert set(await flows.states(*(f"b{n}" for n in range(count)))) == {State.QUEUED}
    assert await flows.kit.state("c") is State.BLOCKED


async def test_a_task_that_is_tried_again_holds_up_what_comes_after(flows: Flows) -> None:
    await flows.submit(flows.chain("a", "b"))
    await flows.kit.report(ReportKind.RETRY, await flows.kit.lease_one(), wait=0)
    await flows.advance()
    assert await flows.states("a", "b") == [State.QUEUED, State.BLOCKED]
    assert await flows.run() == ["a", "b"]
