"""Where a task's record says that it stands, against where the indexes have it."""

from collections.abc import Iterator

from caraway_server.core.task import HELD, TERMINAL, WAITING, State
from caraway_server.store.checks.finding import Finding, Repair
from caraway_server.store.checks.view import View

PRIORITY_SPAN = 2**49


def place_findings(view: View, index: str = "") -> Iterator[Finding]:
    """Everything that the indexes have wrong of a task whose record can be read, or is not there.

    Args:
        view: the task.
        index: in which it was found; "": its record was.
    """
    repair = Repair("mend_task", {"items": [[view.task_id, index]]})
    for text in (*_differences(view), *_lane_problems(view)):
        yield Finding(text, repair=repair)
    if view.twins > 1:
        text = f"{view.twins} tasks have the place of {view.task_id} in {lane_of(view)}"
        yield Finding(text, "nothing is lost: which of them comes first is open")
    if view.fields and view.state is not State.TOMBSTONE and view.number("k") > view.last:
        text = f"the last place given is {view.last}, yet {view.number('k')} is taken"
        yield Finding(text, repair=Repair("mend_sequence", {"last": view.number("k")}))
    if (problem := _unique_problem(view)) is not None:
        yield Finding(problem, repair=repair)


def lane_of(view: View) -> str:
    """The lane that a QUEUED task stands in."""
    return f"lane:{view.text('q')}:{view.text('n')}"


def _wanted(view: View) -> dict[str, float | None]:
    """Scores by index, None where any is right."""
    wanted: dict[str, float | None] = {}
    state = view.state
    if state is None:
        return wanted
    if state is State.QUEUED:
        wanted[lane_of(view)] = (9 - view.number("p")) * PRIORITY_SPAN + view.number("k")
    elif state in WAITING:
        wanted["scheduled"] = view.number("d")
    elif state in HELD:
        # When a lease ends stands in the index alone: renewing it must not cost a write of the record.
        wanted["leases"] = None
    elif (state in TERMINAL and "G" not in view.fields) or state is State.TOMBSTONE:
        wanted[f"ended:{int(state)}"] = view.number("u")
    # A delivered task that has not reported its start may stand there until the expirer looks at it.
    if "x" in view.fields and (
        state in WAITING or state is State.BLOCKED or (state is State.LEASED and "expiring" in view.places)
    ):
        wanted["expiring"] = view.number("x")
    return wanted


def _differences(view: View) -> Iterator[str]:
    wanted = _wanted(view)
    for index in wanted.keys() - view.places.keys():
        yield f"{index} lacks task {view.task_id}"
    for index, score in view.places.items():
        if index not in wanted:
            yield f"{index} holds task {view.task_id}, whose record says otherwise"
        elif (right := wanted[index]) is not None and right != score:
            yield f"{index} has task {view.task_id} at {score:.0f}, its record at {right:.0f}"


def _lane_problems(view: View) -> Iterator[str]:
    if view.state is State.QUEUED and not view.listed:
        yield f"lanes:{view.text('q')} lacks {view.text('n')}, in which task {view.task_id} waits"


def _unique_problem(view: View) -> str | None:
    if "U" not in view.fields or view.state is None or view.state not in WAITING | HELD | {State.REPLACED}:
        return None
    # One that is held for a time may be anyone's after it.
    if "Uu" in view.fields and view.number("Uu") <= view.now:
        return None
    if view.holder.rpartition(" ")[0] == view.task_id:
        return None
    return f"task {view.task_id} is to hold the uniqueness key {view.text('U')}, which says {view.holder!r}"
