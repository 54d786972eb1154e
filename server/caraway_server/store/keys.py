"""Names of all keys and of a record's fields. The Lua prelude builds the same names from the root that it is given.

| key | type | holds | trimmed by |
|---|---|---|---|
| task:<id> | hash | the record: the one truth about a task | prune, delete |
| lane:<queue>:<name> | zset | ids of QUEUED tasks, by priority then sequence | lease, revoke, expire |
| lanes:<queue> | set | names that have a lane | with the lane |
| depth | hash | tasks that wait (SCHEDULED, QUEUED, RETRYING), by queue | at zero |
| scheduled | zset | ids of SCHEDULED and RETRYING tasks, by due time | promote, revoke, expire |
| expiring | zset | ids of tasks that have not started and expire, by time | start, finish, expire |
| leases | zset | ids of LEASED and RUNNING tasks, by the lease's end | the delivery's end |
| children:<id> | zset | ids of the tasks that this one submitted, by acceptance, 1,000 at most | with its record |
| ended:<state> | zset | ids of terminal tasks and tombstones (99), by purge time | prune, delete, requeue |
| unique:<key> | string | id of the task that holds it, and until when (0: until it ends) | its end; Redis's expiry |
| queues | set | queues for which something is set | queue |
| queue:<queue> | hash | paused, note, at, max_length | queue |
| paused | set | queues that nothing is leased from | queue |
| workers | zset | workers, by when they were heard of last | forget |
| worker:<id> | hash | what a worker told of itself | forget |
| hungry:<queue> | set | gateways whose workers found nothing | the next task; 30 s |
| sequence | string | last sequence number | one key |
| workflow:<id> | hash | the record of a workflow | workflow_prune |
| nodes:<workflow> | list | ids of its nodes, by number | with the workflow |
| outbox:<workflow> | list | what is to be done next in it | relay |
| open:<workflow> | list | ids of collects that wait for the seal | the seal; with the workflow |
| next:<id> | list | edges that lead from a node, beyond those in its record | with the workflow |
| members:<id> | list | nodes that a collect collects, by edge | with the workflow |
| relay | zset | workflows with an outbox, by how long it waits | relay |
| producers | zset | open workflows, by the end of their producers' lease | append, seal, cancel, relay |
| workflows | zset | all workflows, by when they were accepted | workflow_prune |
| workflows:ended | zset | ended workflows and their tombstones, by purge time | workflow_prune, retry |
| reaper:seen, reaper:grace | string | last pass; nothing is reaped before | two keys |
| confirmed | string | nothing: written so that replicas can confirm it | one key |
| clock | string | offset of the clock, set by tests only | one key |

Everything but the records, `sequence`, `confirmed` and the reaper's two times is an index and can be made again from
the records.
"""

from typing import Final

ROOT: Final = "caraway:{0}:"
BROADCAST: Final = ROOT + "gateways"
COMMANDS: Final = ROOT + "commands"

SCHEDULED: Final = ROOT + "scheduled"
EXPIRING: Final = ROOT + "expiring"
LEASES: Final = ROOT + "leases"
QUEUES: Final = ROOT + "queues"
PAUSED: Final = ROOT + "paused"
WORKERS: Final = ROOT + "workers"
RELAY: Final = ROOT + "relay"
PRODUCERS: Final = ROOT + "producers"
WORKFLOWS: Final = ROOT + "workflows"
ENDED_WORKFLOWS: Final = ROOT + "workflows:ended"
DEPTH: Final = ROOT + "depth"
SEQUENCE: Final = ROOT + "sequence"
CLOCK: Final = ROOT + "clock"
CONFIRMED: Final = ROOT + "confirmed"

# Letters of a record's fields. One letter, because every queued task pays for them.
FIELDS: Final = {
    "s": "state",
    "n": "name",
    "q": "queue",
    "p": "priority",
    "k": "sequence",  # its place in the lane
    "r": "revision",
    "c": "created",
    "f": "fingerprint",
    "t": "spec",  # without task_id, name, queue and priority, which stand elsewhere
    "x": "expires",
    "T": "result_ttl",  # where it is not the gateway's default
    "i": "ignore_result",  # where a success keeps none
    "A": "once",  # at most once, it never starts twice: 1 as submitted, 2 as the worker that started it last says
    "U": "unique_key",
    "Uu": "unique_until",  # where the key is held for a time, whatever becomes of the task
    "W": "watchers",  # gateways to be told of its end, or with "+" of any change; parted by spaces
    "m": "ready",  # since when it could be leased, where that was not at its acceptance
    "d": "due",
    "e": "fence",  # of the last delivery
    "w": "worker_id",
    "g": "gateway",  # whose stream carries the delivery
    "v": "deliveries",
    "a": "retries",  # attempts that failed and were tried again
    "o": "lost",
    "b": "started",
    "z": "ended",
    "u": "purge",
    "R": "result",
    "E": "error",
    "P": "progress",
    "S": "custom_state",
    "C": "cancel_mode",
    "Cr": "cancel_reason",
    "Cg": "cancel_grace",
    "Cs": "cancel_signal",
    "y": "ended_by",  # kind of the report that ended the last delivery
    # Of nodes of a workflow only.
    "F": "workflow",
    "N": "number",  # its place among the nodes, from 1
    "G": "collect",  # it is a collect and no task
    "I": "inputs",  # the edges that lead to a task, packed: {{node, on, pass, kwarg}, ...}
    "L": "successors",  # the first edges that lead from it, packed in a row: {node, on, number of the edge there}
    "Lc": "successor_count",  # in the record
    "M": "edges",  # how many lead to it
    "B": "pending",  # how many of them wait for their nodes to end (an open collect: one more)
    "Bx": "dead_edge",  # the first of those that can't fire because their nodes failed
    "By": "unneeded",  # one can't fire, and nothing failed
    "Bf": "awaits_failure",  # it has failure edges
    "Bh": "has_failure",  # one of them fired
    "Ms": "members_succeeded",
    "Mf": "members_failed",
    "D": "applied",  # its end was told to all that come after it
    "K": "blame",  # the task that failed first, where it failed because of others
    "O": "open",  # a collect that waits for the seal
    "Q": "depth",  # replacements that it stands in
    "V": "replaced_by",
    "J": "replaces",
    "Wa": "at",  # instant at which it may start, and times from when it is ready
    "Wd": "delay",
    "Wt": "ttl",
}

WORKFLOW_FIELDS: Final = {
    "s": "state",
    "f": "fingerprint",
    "m": "name",
    "c": "created",
    "z": "ended_at",
    "u": "purge",
    "T": "ttl",
    "r": "revision",
    "W": "watchers",
    "t": "accepted",  # nodes
    "n": "made",  # nodes
    "b": "blocked",  # nodes
    "e": "ended",  # nodes whose end was told; e7, e8, ...: by state
    "U": "parts",  # entries of the outbox that make nodes
    "k": "cursor",  # how far the first entry of the outbox is done; once ended: how many nodes are pruned
    "w": "open",
    "P": "lease",  # of the producer
    "l": "last_part",
    "lp": "pieces",  # made of the part that follows
    "K": "blame",  # the node that failed first
    "E": "error",  # of its producer
    "Et": "error_text",  # why it was given up by the gateway itself
    "C": "cancel_mode",
    "Cr": "cancel_reason",
    "Cg": "cancel_grace",
    "Cs": "cancel_signal",
    "d": "deleted",  # nodes whose results were deleted
}


def task(task_id: str) -> str:
    """The key of a task's record."""
    return f"{ROOT}task:{task_id}"


def children(task_id: str) -> str:
    """The key of the index of what a task submitted."""
    return f"{ROOT}children:{task_id}"


def workflow(workflow_id: str) -> str:
    """The key of a workflow's record."""
    return f"{ROOT}workflow:{workflow_id}"


def nodes(workflow_id: str) -> str:
    """The key of the list of a workflow's nodes."""
    return f"{ROOT}nodes:{workflow_id}"


def members(node_id: str) -> str:
    """The key of the list of what a collect collects."""
    return f"{ROOT}members:{node_id}"


def ended(state: int) -> str:
    """The key of the index of tasks that ended in this state."""
    return f"{ROOT}ended:{int(state)}"


def queue(name: str) -> str:
    """The key of what is set for a queue."""
    return f"{ROOT}queue:{name}"


def worker(worker_id: str) -> str:
    """The key of what is known of a worker."""
    return f"{ROOT}worker:{worker_id}"


def unique(key: str) -> str:
    """The key of a uniqueness key."""
    return f"{ROOT}unique:{key}"


def lane(queue: str, name: str) -> str:
    """The key of a lane."""
    return f"{ROOT}lane:{queue}:{name}"


def lanes(queue: str) -> str:
    """The key of a queue's set of lanes."""
    return f"{ROOT}lanes:{queue}"


def replies(gateway_id: str) -> str:
    """The channel of workers' replies to the commands that a gateway gave."""
    return f"{ROOT}replies:{gateway_id}"


def gateway(gateway_id: str) -> str:
    """The channel of a gateway's notes."""
    return f"{ROOT}gateway:{gateway_id}"
