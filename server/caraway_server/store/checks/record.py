"""What must hold of a record by itself."""

from collections.abc import Iterator

from caraway_server.core.task import HELD, TERMINAL, State
from caraway_server.store import keys
from caraway_server.store.checks.finding import Finding
from caraway_server.store.checks.view import View

ADVICE = (
    "a record is the one truth: nothing can make it again. Look at it with HGETALL {key}; DEL it, then run --repair"
)

_BASE = frozenset("snqpkrcft")
_DELIVERED = _BASE | frozenset("evwg")
_REQUIRED: dict[State, frozenset[str]] = {
    State.BLOCKED: _BASE | {"F", "N", "M", "B"},
    State.SCHEDULED: _BASE | {"d"},
    State.QUEUED: _BASE,
    State.LEASED: _DELIVERED,
    State.RUNNING: _DELIVERED | {"b"},
    State.RETRYING: _DELIVERED | {"d", "a", "y"},
    State.SUCCEEDED: _BASE | {"z", "u"},
    State.FAILED: _BASE | {"z", "u"},
    State.REVOKED: _BASE | {"z", "u"},
    State.EXPIRED: _BASE | {"z", "u"},
    State.REJECTED: _DELIVERED | {"z", "u", "y"},
    State.IGNORED: _DELIVERED | {"z", "u", "y"},
    State.REPLACED: _DELIVERED | {"F", "N", "V", "y"},
    State.SKIPPED: _BASE | {"F", "N", "z", "u"},
    State.TOMBSTONE: frozenset("sfu"),
}
_ONLY_ENDED = frozenset("zuR")


def record_findings(view: View) -> Iterator[Finding]:
    """Everything that is wrong with a record that is there."""
    advice = ADVICE.format(key=keys.task(view.task_id))
    for problem in _problems(view):
        yield Finding(f"task {view.task_id} {problem}", advice)


def is_readable(view: View) -> bool:
    """Whether the record tells where the task must stand."""
    return view.state is not None and _required(view, view.state) <= view.fields.keys()


def _required(view: View, state: State) -> frozenset[str]:
    # A collect did not run, nor did what failed because of another node.
    ran = state in (State.SUCCEEDED, State.FAILED) and "G" not in view.fields and "K" not in view.fields
    return _REQUIRED[state] | _DELIVERED | {"y"} if ran else _REQUIRED[state]


def _problems(view: View) -> Iterator[str]:
    state, fields = view.state, view.fields
    if state is None:
        yield f"has no state that is known: {fields.get('s', b'')!r}"
        return
    if missing := _required(view, state) - fields.keys():
        yield f"is {state.name} and lacks {_names(missing)}"
        return
    if unknown := fields.keys() - keys.FIELDS.keys():
        yield f"has fields that are not known: {sorted(unknown)}"
    if state is State.TOMBSTONE:
        if extra := fields.keys() - _REQUIRED[state]:
            yield f"is a tombstone and still has {_names(extra)}"
        return
    if state not in TERMINAL and (early := _ONLY_ENDED & fields.keys()):
        yield f"is {state.name} and has {_names(early)}"
    if state in {State.QUEUED, *HELD} and "d" in fields:
        yield f"is {state.name} and has a due time"
    yield from _count_problems(view, state)


def _count_problems(view: View, state: State) -> Iterator[str]:
    if not 0 <= view.number("p") <= 9:
        yield f"has priority {view.number('p')}"
    ended = view.number("a") + view.number("o")
    if ended > view.number("v"):
        yield "has more retries and losses than deliveries"
    if ended == view.number("v") and state in HELD:
        yield f"is {state.name}, and all its deliveries have ended"
    if ("e" in view.fields) != ("v" in view.fields):
        yield "has a fence without a delivery, or the reverse"
    if state in TERMINAL and view.number("z") > view.number("u"):
        yield "is purged before it ended"


def _names(letters: frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(keys.FIELDS.get(letter, letter) for letter in letters))
