"""Random workflows on two gateways, in any order, in passes of any size: they come to what a plain model says."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from caraway_server.core.inputs import Failed, InputPart, InputStart, ListBegin, ListEnd, Value
from caraway_server.core.task import State
from caraway_server.core.workflow import WorkflowState
from caraway_server.store.batches import NewEdge, NewNode
from caraway_server.store.values import Lease, ReportKind
from store.flows import Flows
from support.graph_model import ADD, FAIL, IGNORE, REPLACE, STUMBLE, STUMBLES, Maker, Model, PlayedNode, all_of, digest

MOST_STEPS = 20_000
LONG = 60_000_000  # microseconds


def new_nodes(flows: Flows, nodes: Sequence[PlayedNode], replaced: str = "", output: str = "") -> list[NewNode]:
    """The nodes as the store takes them."""
    made = []
    for node in nodes:
        edges = [NewEdge(edge.source, edge.on, edge.passing, edge.kwarg) for edge in node.edges]
        if node.collect:
            made.append(NewNode(node.node_id, edges, fingerprint=b"collect"))
        else:
            replaces = replaced if node.node_id == output else ""
            made.append(NewNode(node.node_id, edges, flows.kit.new(node.node_id), replaces=replaces))
    return made


def values_of(parts: Sequence[InputPart]) -> list[object]:
    """What was handed on, in the model's form."""
    found: list[object] = []
    lists: list[list[object]] = []
    start = InputStart(0, "", "")
    for part in parts:
        if isinstance(part, InputStart):
            start = part
            continue
        if isinstance(part, ListBegin):
            lists.append([])
            continue
        value: object
        if isinstance(part, ListEnd):
            value = lists.pop()
        elif isinstance(part, Failed):
            value = {"failed": part.record.task_id, "culprit": part.record.blame}
        else:
            assert isinstance(part, Value)
            value = part.payload.decode() or None
        if lists:
            lists[-1].append(value)
        else:
            found.append([start.passing, start.kwarg, start.task_id, value])
    return found


class Play:
    """Runs one workflow, each step drawn by chance."""

    def __init__(self, flows: Flows, chance: random.Random, graph: Sequence[PlayedNode]) -> None:
        self.flows = flows
        self.chance = chance
        self.nodes = {node.node_id: node for node in all_of(graph)}
        self.stores = [flows.kit.store, flows.kit.other]
        self.parts: list[list[NewNode]] = []  # to be appended
        self.appended = 0

    async def begin(self, graph: Sequence[PlayedNode], *, in_parts: bool) -> None:
        """Submits it, whole, or its first part."""
        nodes = new_nodes(self.flows, graph)
        if not in_parts:
            await self.flows.submit(nodes)
            return
        size = self.chance.randint(1, 6)
        first, *self.parts = [nodes[start : start + size] for start in range(0, len(nodes), size)]
        await self.flows.open(first)
        self.parts.append([])  # the seal

    async def append(self) -> None:
        """The next part, at times twice; the last is the seal."""
        nodes = self.parts[0]
        if not nodes:
            await self.flows.workflows.seal("w")
        for _ in range(self.chance.choice([1, 1, 2]) if nodes else 0):
            word = (await self.flows.append(self.appended + 1, *nodes)).word
            if word == "busy":
                return  # nodes that a task added are not made yet
            assert word in ("made", "known")
        self.appended += 1
        del self.parts[0]

    async def to_its_end(self) -> WorkflowState:
        """Steps until the workflow has ended; returns its state."""
        for step in range(MOST_STEPS):
            growing = [self.append] if self.parts and self.chance.random() < 0.3 else []
            await self.chance.choice([self.lease_and_report, self.relay, self.relay, *growing])()
            if step % 50 == 0:
                assert await self.flows.kit.wrong() == []
            record = await self.flows.record()
            if record.is_terminal:
                return record.state
        raise AssertionError("it does not come to an end")

    async def relay(self) -> None:
        self.flows.kit.limit(hold=self.chance.choice([0, LONG]))
        await self.chance.choice(self.stores).workflows.advance(limit=self.chance.choice([1, 2, 5, 30]))

    async def lease_and_report(self) -> None:
        leases, _ = await self.chance.choice(self.stores).lease("w", ["q"], None, self.chance.randint(1, 5), 1 << 20)
        self.chance.shuffle(leases)
        for lease in leases:
            if self.chance.random() < 0.1:
                await self.flows.kit.report(ReportKind.RELEASED, lease)
            else:
                await self.report(lease)

    async def report(self, lease: Lease) -> None:
        kit, node = self.flows.kit, self.nodes[lease.task_id]
        value = digest(node.node_id, values_of(lease.handed)).encode()
        if node.plan == FAIL:
            await kit.report(ReportKind.FAILED, lease, blob=node.node_id.encode())
        elif node.plan == IGNORE:
            await kit.report(ReportKind.IGNORED, lease)
        elif node.plan == STUMBLE and lease.retries < STUMBLES:
            await kit.report(ReportKind.RETRY, lease, blob=b"stumbled")
        elif node.plan == REPLACE:
            nodes = new_nodes(self.flows, node.nodes, node.node_id, node.output)
            await self.flows.grow(lease, *nodes, output=node.output)
        elif node.plan == ADD:
            nodes = new_nodes(self.flows, node.nodes)
            if node.joins:
                nodes.append(NewNode(node.joins, [NewEdge(joining) for joining in node.joining], extends=True))
            await self.flows.grow(lease, *nodes, blob=value)
        else:
            await kit.report(ReportKind.SUCCEEDED, lease, blob=value)


async def compare(flows: Flows, model: Model) -> None:
    """Every node ended as the model says, and there are no others."""
    ends = model.ends()
    assert set(await flows.workflows.node_ids("w", 0, 10_000)) == ends.keys()
    for node_id, ended in ends.items():
        record = await flows.kit.record(node_id)
        assert (record.state, record.blame) == (ended.state, ended.culprit), node_id
        if ended.state is State.SUCCEEDED and not record.collect:
            assert record.result == str(ended.value).encode(), node_id
        if ended.error:
            assert record.error == ended.error.encode(), node_id


@pytest.mark.parametrize("in_parts", [False, True])
@pytest.mark.parametrize("seed", range(40))
async def test_random_workflows_come_to_what_a_plain_model_says(flows: Flows, seed: int, in_parts: bool) -> None:
    chance = random.Random(seed)
    graph = Maker(chance, "n").graph(chance.randint(3, 25))
    if in_parts:  # a member may run before its collect is there, and can't add to it then
        graph = [replace(node, joins="", joining=()) for node in graph]
    model = Model(graph)
    failed = any(ended.state is State.FAILED for ended in model.ends().values())
    play = Play(flows, chance, graph)
    await play.begin(graph, in_parts=in_parts)
    state = await play.to_its_end()
    assert state is (WorkflowState.FAILED if failed else WorkflowState.SUCCEEDED)
    await compare(flows, model)
    if failed:
        again = model.again()
        assert (await flows.workflows.retry("w"))[0] == "retried"
        assert await Play(flows, chance, again.graph).to_its_end() is WorkflowState.SUCCEEDED
        await compare(flows, again)


def test_the_seeds_play_everything() -> None:
    plans = set()
    collects = 0
    for seed in range(40):
        chance = random.Random(seed)
        graph = list(all_of(Maker(chance, "n").graph(chance.randint(3, 25))))
        plans |= {node.plan for node in graph} | {"joins" for node in graph if node.joins}
        collects += sum(node.collect for node in graph)
    assert plans == {"return", FAIL, IGNORE, STUMBLE, REPLACE, ADD, "joins"}
    assert collects > 50
