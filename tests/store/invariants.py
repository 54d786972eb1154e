"""Proves that a store is consistent: every index agrees with the records, and nothing else lies about.

violations() is a pure function of a snapshot; read() takes one. A snapshot of a store under load is not one moment's:
read it while nothing else writes.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis

from caraway_server.core.task import HELD, TERMINAL, WAITING, State
from caraway_server.store import keys

PRIORITY_SPAN = 2**49
NO_EXPIRY = -1

_BASE = frozenset("snqpkrcft")
_DELIVERED = _BASE | frozenset("evwg")
_REQUIRED: dict[State, frozenset[str]] = {
    State.SCHEDULED: _BASE | {"d"},
    State.QUEUED: _BASE,
    State.LEASED: _DELIVERED,
    State.RUNNING: _DELIVERED | {"b"},
    State.RETRYING: _DELIVERED | {"d", "a", "y"},
    State.SUCCEEDED: _DELIVERED | {"z", "u", "y"},
    State.FAILED: _DELIVERED | {"z", "u", "y"},
    State.REVOKED: _BASE | {"z", "u"},
    State.EXPIRED: _BASE | {"z", "u"},
    State.REJECTED: _DELIVERED | {"z", "u", "y"},
    State.IGNORED: _DELIVERED | {"z", "u", "y"},
    State.TOMBSTONE: frozenset("sfu"),
}
_ONLY_ENDED = frozenset("zuR")
_KINDS = {
    "task:": "hash", "lane:": "zset", "lanes:": "set", "hungry:": "set", "depth": "hash", "scheduled": "zset",
    "expiring": "zset", "leases": "zset", "ended:": "zset", "sequence": "string", "reaper:seen": "string",
    "reaper:grace": "string", "clock": "string", "unique:": "string", "queues": "set", "queue:": "hash",
    "paused": "set", "workers": "zset", "worker:": "hash",
}  # fmt: skip

Hash = Mapping[str, bytes]
Sorted = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All keys of a store by their names without the root.

    Attributes:
        kinds: Redis type of each key.
        expiries: milliseconds that each key has left; NO_EXPIRY where it stays.
        hashes: the hashes.
        sorted_sets: the sorted sets, with scores.
        sets: the sets.
        strings: the strings.
        foreign: full names of keys outside the root.
    """

    kinds: dict[str, str] = field(default_factory=dict)
    expiries: dict[str, int] = field(default_factory=dict)
    hashes: dict[str, Hash] = field(default_factory=dict)
    sorted_sets: dict[str, Sorted] = field(default_factory=dict)
    sets: dict[str, frozenset[str]] = field(default_factory=dict)
    strings: dict[str, bytes] = field(default_factory=dict)
    foreign: list[str] = field(default_factory=list)

    def records(self) -> Iterator[tuple[str, Hash]]:
        """The records, by task id."""
        for name, fields in self.hashes.items():
            if name.startswith("task:"):
                yield name.removeprefix("task:"), fields


async def read(redis: Redis) -> Snapshot:
    """Takes a snapshot with SCAN; returns what it read."""
    snapshot = Snapshot()
    async for raw in redis.scan_iter(count=1000):
        key = raw.decode()
        if not key.startswith(keys.ROOT):
            snapshot.foreign.append(key)
            continue
        name = key.removeprefix(keys.ROOT)
        kind: Any = await redis.type(key)
        snapshot.kinds[name] = kind.decode()
        snapshot.expiries[name] = await redis.pttl(key)
        await _read_value(redis, key, name, snapshot)
    return snapshot


async def _read_value(redis: Redis, key: str, name: str, snapshot: Snapshot) -> None:
    value: Any  # the driver's types leave open what its settings decide
    kind = snapshot.kinds[name]
    if kind == "hash":
        value = await redis.hgetall(key)
        snapshot.hashes[name] = {letter.decode(): text for letter, text in value.items()}
    elif kind == "zset":
        value = await redis.zrange(key, 0, -1, withscores=True)
        snapshot.sorted_sets[name] = {member.decode(): score for member, score in value}
    elif kind == "set":
        value = await redis.smembers(key)
        snapshot.sets[name] = frozenset(member.decode() for member in value)
    elif kind == "string":
        value = await redis.get(key)
        snapshot.strings[name] = value


def violations(snapshot: Snapshot) -> list[str]:
    """Everything that is wrong, each in a sentence; empty when the store is consistent."""
    broken = [*_key_problems(snapshot)]
    states: dict[str, State] = {}
    for task_id, fields in snapshot.records():
        problems = list(_record_problems(task_id, fields))
        broken += problems
        if not any("state" in problem for problem in problems):
            states[task_id] = State(int(fields["s"]))
    if len(states) < sum(1 for _ in snapshot.records()):
        return broken  # what the indexes should hold can't be told
    sound = {task_id: (states[task_id], fields) for task_id, fields in snapshot.records()}
    if not any("lacks" in problem for problem in broken):
        broken += _index_problems(snapshot, sound)
        broken += _sequence_problems(snapshot, sound)
    return broken


def _key_problems(snapshot: Snapshot) -> Iterator[str]:
    for key in snapshot.foreign:
        yield f"{key} is not a key of Caraway's"
    for name, kind in snapshot.kinds.items():
        wanted = next((kind for prefix, kind in _KINDS.items() if _is_called(name, prefix)), None)
        if wanted is None:
            yield f"{name} is a key that nobody owns"
        elif kind != wanted:
            yield f"{name} is a {kind}, not a {wanted}"
        expires = snapshot.expiries[name] != NO_EXPIRY
        # A uniqueness key has one where it is held for a time.
        if expires != name.startswith("hungry:") and not name.startswith("unique:"):
            yield f"{name} {'has an expiry' if expires else 'has no expiry'} of Redis"


def _is_called(name: str, wanted: str) -> bool:
    return name.startswith(wanted) if wanted.endswith(":") else name == wanted


def _record_problems(task_id: str, fields: Hash) -> Iterator[str]:
    raw = fields.get("s", b"")
    if not raw.isdigit() or int(raw) not in set(State):
        yield f"task {task_id} has no state that is known: {raw!r}"
        return
    state = State(int(raw))
    if missing := _REQUIRED[state] - fields.keys():
        yield f"task {task_id} is {state.name} and lacks {_names(missing)}"
        return
    if unknown := fields.keys() - keys.FIELDS.keys():
        yield f"task {task_id} has fields that are not known: {sorted(unknown)}"
    if state is State.TOMBSTONE:
        if extra := fields.keys() - _REQUIRED[state]:
            yield f"task {task_id} is a tombstone and still has {_names(extra)}"
        return
    if state not in TERMINAL and (early := _ONLY_ENDED & fields.keys()):
        yield f"task {task_id} is {state.name} and has {_names(early)}"
    if state in {State.QUEUED, *HELD} and "d" in fields:
        yield f"task {task_id} is {state.name} and has a due time"
    yield from _count_problems(task_id, state, fields)


def _count_problems(task_id: str, state: State, fields: Hash) -> Iterator[str]:
    def number(letter: str) -> int:
        return int(fields.get(letter, 0))

    if not 0 <= number("p") <= 9:
        yield f"task {task_id} has priority {number('p')}"
    if number("a") + number("o") > number("v"):
        yield f"task {task_id} has more retries and losses than deliveries"
    if number("a") + number("o") == number("v") and state in HELD:
        yield f"task {task_id} is {state.name}, and all its deliveries have ended"
    if ("e" in fields) != ("v" in fields):
        yield f"task {task_id} has a fence without a delivery, or the reverse"
    if state in TERMINAL and number("z") > number("u"):
        yield f"task {task_id} is purged before it ended"


def _names(letters: frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(keys.FIELDS.get(letter, letter) for letter in letters))


def _index_problems(snapshot: Snapshot, tasks: Mapping[str, tuple[State, Hash]]) -> Iterator[str]:
    lanes: dict[str, dict[str, float]] = {}
    names: dict[str, set[str]] = {}
    depth: Counter[str] = Counter()
    scheduled: dict[str, float] = {}
    ended: dict[str, dict[str, float]] = {}
    for task_id, (state, fields) in tasks.items():
        if state in WAITING:
            depth[fields["q"].decode()] += 1
        if state is State.QUEUED:
            queue, name = fields["q"].decode(), fields["n"].decode()
            score = (9 - int(fields["p"])) * PRIORITY_SPAN + int(fields["k"])
            lanes.setdefault(f"lane:{queue}:{name}", {})[task_id] = score
            names.setdefault(f"lanes:{queue}", set()).add(name)
        elif state in WAITING:
            scheduled[task_id] = float(fields["d"])
        elif state in TERMINAL or state is State.TOMBSTONE:
            ended.setdefault(f"ended:{int(state)}", {})[task_id] = float(fields["u"])
    for name in lanes.keys() | {key for key in snapshot.sorted_sets if key.startswith("lane:")}:
        yield from _differences(name, lanes.get(name, {}), snapshot.sorted_sets.get(name, {}))
    for name in names.keys() | {key for key in snapshot.sets if key.startswith("lanes:")}:
        if (listed := names.get(name, set())) != (given := snapshot.sets.get(name, frozenset())):
            yield f"{name} lists {sorted(given)}; the lanes are {sorted(listed)}"
    found_depth = {queue: int(raw) for queue, raw in snapshot.hashes.get("depth", {}).items()}
    if found_depth != dict(depth):
        yield f"depth says {found_depth}; there wait {dict(depth)}"
    yield from _differences("scheduled", scheduled, snapshot.sorted_sets.get("scheduled", {}))
    for name in ended.keys() | {key for key in snapshot.sorted_sets if key.startswith("ended:")}:
        yield from _differences(name, ended.get(name, {}), snapshot.sorted_sets.get(name, {}))
    yield from _unique_problems(snapshot, tasks)
    yield from _operator_problems(snapshot)
    yield from _lease_problems(snapshot, tasks)
    yield from _expiry_problems(snapshot, tasks)


def _differences(name: str, wanted: Sorted, found: Sorted) -> Iterator[str]:
    for task_id in wanted.keys() - found.keys():
        yield f"{name} lacks task {task_id}"
    for task_id in found.keys() - wanted.keys():
        yield f"{name} holds task {task_id}, whose record says otherwise"
    for task_id in wanted.keys() & found.keys():
        if wanted[task_id] != found[task_id]:
            yield f"{name} has task {task_id} at {found[task_id]:.0f}, its record at {wanted[task_id]:.0f}"


def _lease_problems(snapshot: Snapshot, tasks: Mapping[str, tuple[State, Hash]]) -> Iterator[str]:
    # When a lease ends stands in the index alone: renewing it must not cost a write of the record.
    found = snapshot.sorted_sets.get("leases", {})
    held = {task_id for task_id, (state, _) in tasks.items() if state in HELD}
    yield from _differences("leases", {task_id: found.get(task_id, 0.0) for task_id in held}, found)


def _expiry_problems(snapshot: Snapshot, tasks: Mapping[str, tuple[State, Hash]]) -> Iterator[str]:
    found = snapshot.sorted_sets.get("expiring", {})
    wanted = {}
    for task_id, (state, fields) in tasks.items():
        # A delivered task that has not reported its start may stand there until the expirer looks at it.
        if "x" in fields and (state in WAITING or (state is State.LEASED and task_id in found)):
            wanted[task_id] = float(fields["x"])
    yield from _differences("expiring", wanted, found)


def _unique_problems(snapshot: Snapshot, tasks: Mapping[str, tuple[State, Hash]]) -> Iterator[str]:
    holders = {name: raw.decode() for name, raw in snapshot.strings.items() if name.startswith("unique:")}
    for name, value in holders.items():
        holder, _, until = value.rpartition(" ")
        state, fields = tasks.get(holder, (State.TOMBSTONE, {}))
        if until == "0" and (state not in WAITING | HELD or f"unique:{fields['U'].decode()}" != name):
            yield f"{name} is held by task {holder}, which does not hold it"
    for task_id, (state, fields) in tasks.items():
        if state in WAITING | HELD and "U" in fields and f"unique:{fields['U'].decode()}" not in holders:
            yield f"task {task_id} has a uniqueness key that nobody holds"


def _operator_problems(snapshot: Snapshot) -> Iterator[str]:
    told = {name.removeprefix("worker:") for name in snapshot.hashes if name.startswith("worker:")}
    if told != snapshot.sorted_sets.get("workers", {}).keys():
        yield f"workers lists {sorted(snapshot.sorted_sets.get('workers', {}))}; known are {sorted(told)}"
    known = {
        name.removeprefix("queue:"): fields for name, fields in snapshot.hashes.items() if name.startswith("queue:")
    }
    if known.keys() != snapshot.sets.get("queues", frozenset()):
        yield f"queues lists {sorted(snapshot.sets.get('queues', frozenset()))}; known are {sorted(known)}"
    paused = {name for name, fields in known.items() if "paused" in fields}
    if paused != snapshot.sets.get("paused", frozenset()):
        yield f"paused lists {sorted(snapshot.sets.get('paused', frozenset()))}; the queues say {sorted(paused)}"


def _sequence_problems(snapshot: Snapshot, tasks: Mapping[str, tuple[State, Hash]]) -> Iterator[str]:
    taken = Counter(int(fields["k"]) for state, fields in tasks.values() if state is not State.TOMBSTONE)
    for sequence, count in taken.items():
        if count > 1:
            yield f"{count} tasks have the place {sequence}"
    last = int(snapshot.strings.get("sequence", b"0"))
    if taken and max(taken) > last:
        yield f"the last place given is {last}, yet {max(taken)} is taken"
