"""What holds of workflows: their counts, their lists and what their nodes wait for agree."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgpack
from redis.asyncio import Redis

from caraway_server.core.task import TERMINAL, State
from caraway_server.core.workflow import WorkflowState
from caraway_server.store import keys

Hash = Mapping[str, bytes]
Tasks = Mapping[str, tuple[State, Hash]]


async def workflow_problems(redis: Redis) -> list[str]:
    """Everything that is wrong with workflows, each in a sentence. Read it while nothing else writes."""
    hashes: dict[str, Hash] = {}
    sorted_sets: dict[str, dict[str, float]] = {}
    lists: dict[str, list[bytes]] = {}
    async for raw in redis.scan_iter(count=1000):
        name = raw.decode().removeprefix(keys.ROOT)
        value: Any  # the driver's types leave open what its settings decide
        if name.startswith(("workflow:", "task:")):
            value = await redis.hgetall(raw)
            hashes[name] = {letter.decode(): text for letter, text in value.items()}
        elif name.startswith(("nodes:", "outbox:", "open:", "next:", "members:")):
            value = await redis.lrange(raw, 0, -1)
            lists[name] = value
        elif name in ("relay", "producers", "workflows", "workflows:ended"):
            value = await redis.zrange(raw, 0, -1, withscores=True)
            sorted_sets[name] = {member.decode(): score for member, score in value}
    tasks = {
        name.removeprefix("task:"): (State(int(fields["s"])), fields)
        for name, fields in hashes.items()
        if name.startswith("task:")
    }
    return list(Graphs(hashes, sorted_sets, lists, tasks).problems())


class Graphs:
    """The workflows of a snapshot.

    Args:
        hashes: by name.
        sorted_sets: by name.
        lists: by name.
        tasks: state and fields by id.
    """

    def __init__(
        self, hashes: Mapping[str, Hash], sorted_sets: Mapping[str, Mapping[str, float]],
        lists: Mapping[str, Sequence[bytes]], tasks: Tasks,
    ) -> None:  # fmt: skip
        self._sorted_sets = sorted_sets
        self._lists = lists
        self._tasks = tasks
        self._workflows = {
            name.removeprefix("workflow:"): fields for name, fields in hashes.items() if name.startswith("workflow:")
        }

    def problems(self) -> Iterator[str]:
        """Everything that is wrong, each in a sentence."""
        for workflow_id, fields in self._workflows.items():
            if unknown := {name for name in fields if not (name[0] == "e" and name[1:].isdigit())} - set(
                keys.WORKFLOW_FIELDS
            ):
                yield f"workflow {workflow_id} has fields that are not known: {sorted(unknown)}"
            if int(fields["s"]) != State.TOMBSTONE:
                yield from self._count_problems(workflow_id, fields)
                yield from self._end_problems(workflow_id, fields)
        yield from self._index_problems()
        yield from self._owner_problems()
        yield from self._node_problems()

    def _list(self, name: str) -> Sequence[bytes]:
        return self._lists.get(name, ())

    def _nodes(self, workflow_id: str) -> list[str]:
        return [raw.decode() for raw in self._list(f"nodes:{workflow_id}")]

    def _is_quiet(self, workflow_id: str) -> bool:
        return not self._list(f"outbox:{workflow_id}")

    def _count_problems(self, workflow_id: str, fields: Hash) -> Iterator[str]:
        ids = self._nodes(workflow_id)
        if int(fields["n"]) != len(ids) or len(set(ids)) != len(ids):
            yield f"workflow {workflow_id} says that {int(fields['n'])} nodes are made; it lists {len(ids)}"
        parts = [
            entry for entry in self._list(f"outbox:{workflow_id}") if msgpack.unpackb(entry, raw=True)[0] == b"part"
        ]
        if int(fields.get("U", 0)) != len(parts):
            yield f"workflow {workflow_id} says that {int(fields['U'])} parts are to be made; there are {len(parts)}"
        if int(fields["b"]) < 0 or int(fields["e"]) < 0:
            yield f"workflow {workflow_id} counts below nothing"
        by_state = Counter(
            {int(name[1:]): int(raw) for name, raw in fields.items() if name[0] == "e" and name[1:].isdigit()}
        )
        if by_state.total() != int(fields["e"]):
            yield f"workflow {workflow_id} says that {int(fields['e'])} nodes ended; by state {dict(by_state)}"
        deleted = int(fields.get("d", 0))
        if self._is_quiet(workflow_id) and not deleted:
            found = Counter(self._tasks[node_id][0] for node_id in ids if node_id in self._tasks)
            if int(fields["b"]) != found[State.BLOCKED]:
                yield f"workflow {workflow_id} says that {int(fields['b'])} nodes wait; {found[State.BLOCKED]} do"
            ended = {int(state): count for state, count in found.items() if state in TERMINAL}
            if ended != dict(by_state):
                yield f"workflow {workflow_id} says that nodes ended {dict(by_state)}; there are {ended}"

    def _end_problems(self, workflow_id: str, fields: Hash) -> Iterator[str]:
        over = int(fields["e"]) == int(fields["n"]) and "w" not in fields and self._is_quiet(workflow_id)
        if over != (int(fields["s"]) != WorkflowState.RUNNING):
            state = WorkflowState(int(fields["s"])).name
            yield f"workflow {workflow_id} is {state}, and {'all' if over else 'not all'} is done"
        if ("z" in fields) != (int(fields["s"]) != WorkflowState.RUNNING):
            yield f"workflow {workflow_id} is {WorkflowState(int(fields['s'])).name}, and its end is not noted so"

    def _index_problems(self) -> Iterator[str]:
        alive = {name: fields for name, fields in self._workflows.items() if int(fields["s"]) != State.TOMBSTONE}
        wanted = {
            "workflows": alive.keys(),
            "producers": {name for name, fields in alive.items() if "w" in fields},
            "relay": {name for name in alive if not self._is_quiet(name)},
            "workflows:ended": {name for name, fields in self._workflows.items() if "u" in fields},
        }
        for index, names in wanted.items():
            if (found := self._sorted_sets.get(index, {}).keys()) != names:
                yield f"{index} lists {sorted(found)}, not {sorted(names)}"
        for name, purge in self._sorted_sets.get("workflows:ended", {}).items():
            if name in self._workflows and int(self._workflows[name]["u"]) != purge:
                yield f"workflows:ended has {name} at {purge:.0f}"

    def _owner_problems(self) -> Iterator[str]:
        alive = {name for name, fields in self._workflows.items() if int(fields["s"]) != State.TOMBSTONE}
        listed = {node_id for name in alive for node_id in self._nodes(name)}
        for name in self._lists:
            kind, _, owner = name.partition(":")
            if owner not in (alive if kind in ("nodes", "outbox", "open") else listed):
                yield f"{name} belongs to nothing that there is"

    def _node_problems(self) -> Iterator[str]:
        for task_id, (state, fields) in self._tasks.items():
            if "F" not in fields:
                if state in (State.BLOCKED, State.REPLACED, State.SKIPPED):
                    yield f"task {task_id} is {state.name} and in no workflow"
                continue
            workflow_id = fields["F"].decode()
            ids = self._nodes(workflow_id)
            number = int(fields["N"])
            if not (0 < number <= len(ids) and ids[number - 1] == task_id):
                yield f"task {task_id} is not node {number} of workflow {workflow_id}"
                continue
            if state is State.REPLACED and "V" not in fields:
                yield f"task {task_id} is REPLACED by nothing"
            if state is State.BLOCKED and self._is_quiet(workflow_id):
                yield from self._wait_problems(task_id, fields)
            if state in TERMINAL and self._is_quiet(workflow_id) and "D" not in fields:
                yield f"task {task_id} is {state.name}, and nobody was told"

    def _wait_problems(self, task_id: str, fields: Hash) -> Iterator[str]:
        """What a blocked node waits for: the edges whose nodes have not told their end."""
        if "G" in fields:
            sources = [entry[1:].decode() for entry in self._list(f"members:{task_id}")]
        else:
            sources = [edge[0].decode() for edge in msgpack.unpackb(fields["I"], raw=True)]
        if len(sources) != int(fields["M"]):
            yield f"task {task_id} says that {int(fields['M'])} edges lead to it; there are {len(sources)}"
        waits = sum(1 for source in sources if source in self._tasks and "D" not in self._tasks[source][1])
        waits += "O" in fields
        if int(fields["B"]) != waits or waits == 0:
            yield f"task {task_id} says that it waits for {int(fields['B'])} nodes; it does for {waits}"
        for source in sources:
            if source in self._tasks and task_id not in self._successors(source):
                yield f"task {task_id} comes after {source}, which does not know of it"

    def _successors(self, task_id: str) -> set[str]:
        fields = self._tasks[task_id][1]
        near = msgpack.Unpacker(raw=True)
        near.feed(fields.get("L", b""))
        edges = [*near, *(msgpack.unpackb(entry, raw=True) for entry in self._list(f"next:{task_id}"))]
        return {edge[0].decode() for edge in edges}
