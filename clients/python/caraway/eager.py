"""Canvases run here and now, without a gateway: `apply()` and `task_always_eager`."""

import traceback
from collections.abc import Callable, Iterator
from typing import Any, Final

from caraway import errbacks, request, states
from caraway.canvas.graph import Edge, Node, On, Pass
from caraway.eager_attempts import run
from caraway.eager_result import EagerResult
from caraway.eager_store import storing
from caraway.exceptions import Ignore, Reject, Replaced, TaskRejectedError
from caraway.group_result import GroupResult
from caraway.payload import decode_arguments
from caraway.spec import fill, fill_options
from caraway.stamps import stamps_of
from caraway.steps import walk
from caraway.v1 import task_pb2

__all__ = ["apply"]

_FAILED: Final = frozenset({states.FAILURE, states.REVOKED, states.REJECTED})


def apply(app: Any, plan: Any, *, exact: bool, propagate: bool) -> Any:
    """Run a canvas, and give its result as sending it would.

    `exact`: arguments and values are written and read as if they were sent. `propagate`: the first error is raised.
    """
    result = plan.freeze()
    run = _Run(app, exact, propagate)
    run.walk(app.compiled(plan))
    return run.ended(result)


class _Run:
    def __init__(self, app: Any, exact: bool, propagate: bool) -> None:
        self._app = app
        self._exact = exact
        self._propagate = propagate
        self._ended: dict[str, EagerResult] = {}
        self._causes: dict[str, EagerResult] = {}  # of those that failed as one before them did: the first that failed
        self._contexts: dict[str, request.Context] = {}
        self._results: dict[str, Any] = {}
        self._joining: dict[str, list[Edge]] = {}  # what tasks added to collects
        self._root = ""
        self._priorities: dict[str, int] = {}

    def walk(self, nodes: Iterator[Node]) -> None:
        """Run all nodes, in order; those that a task was replaced by before those that follow it."""
        waiting: list[tuple[Iterator[Node], Callable[[], None] | None]] = [(nodes, None)]
        while waiting:
            current, on_end = waiting[-1]
            node = next(current, None)
            if node is None:
                waiting.pop()
                if on_end is not None:
                    on_end()
                continue
            if node.id in self._ended:
                raise ValueError(
                    f"two tasks of this canvas have the id {node.id}: freeze() each only where it stands once"
                )
            waiting.extend(self._take(node))

    def _take(self, node: Node) -> list[tuple[Iterator[Node], Callable[[], None] | None]]:
        """Decide and run one node; gives the nodes that are to be run for it next, and what to do then."""
        self._root = self._root or node.id
        verdict = self._decide(node)
        if verdict is not None:
            self._end(node, verdict)
            return []
        if not node.task:
            values = [self._ended[edge.source].result for edge in self._collected(node)]
            self._end(node, EagerResult(node.id, values, states.SUCCESS, app=self._app))
            return []
        return self._call(node)

    def _collected(self, node: Node) -> tuple[Edge, ...]:
        return (*node.after, *self._joining.get(node.id, ()))

    def _decide(self, node: Node) -> EagerResult | None:
        """None if it runs; else how it ends. The contract's table, WorkflowNode."""
        edges = self._collected(node)
        on_failure = [edge for edge in edges if edge.on is not On.SUCCESS]
        needed = [self._ended[edge.source] for edge in edges if edge.on is On.SUCCESS]
        fired = [edge for edge in on_failure if self._fires(edge)]
        # What was ignored or not needed completes a collect, and sends nothing on to a task.
        complete = all(
            each.state == states.SUCCESS or (not node.task and each.state == states.IGNORED) for each in needed
        )
        if complete and (fired or not on_failure):
            return None
        broken = next((each for each in needed if each.state in _FAILED), None)
        if broken is None:
            return EagerResult(node.id, None, states.IGNORED, name=node.task, app=self._app)
        cause = self._causes.get(broken.id, broken)
        self._causes[node.id] = cause
        return EagerResult(node.id, cause.result, states.FAILURE, cause.traceback, node.task, self._app)

    def _fires(self, edge: Edge) -> bool:
        source = self._ended[edge.source]
        return source.state in _FAILED and (edge.on is On.FAILURE or source.id not in self._causes)

    def _end(self, node: Node, ended: EagerResult) -> None:
        self._ended[node.id] = ended
        context = self._contexts.get(node.id)
        if context is not None:
            ended.root_id, ended.parent_id = context.root_id or node.id, context.parent_id
        if node.task and self._app.task_store_eager_result:
            walk(self._app, storing(self._app, node, self._app.options_of(node), ended))
        if ended.state == states.IGNORED:
            return
        for edge in node.after:
            if node.task:
                self._ended[edge.source]._children.append(ended)

    # One task

    def _call(self, node: Node) -> list[tuple[Iterator[Node], Callable[[], None] | None]]:
        task = self._app.find_task(node.task)
        context = self._contexts[node.id] = self._prepare(node, task)
        try:
            value = run(task, context, self._exact)
            ended = EagerResult(node.id, value, states.SUCCESS, None, node.task, self._app)
        except Replaced as replaced:
            plan = replaced.plan
            return [(self._app.compiled(plan), lambda: self._replace(node, plan.id))]
        except Exception as error:
            ended = _ended_by(error, context, self._app)
        self._end(node, ended)
        if self._propagate and ended.state in _FAILED:
            raise ended.result
        # The last is run first.
        return [self._join(context.group or "", plan) for plan in reversed(context.added or ())]

    def _prepare(self, node: Node, task: Any) -> request.Context:
        spec = task_pb2.TaskSpec()
        options = self._app.options_of(node, self._priorities)
        args, kwargs = node.args, dict(node.kwargs)
        if self._exact:
            fill(spec, node.id, node.task, args, kwargs, options)
            args, kwargs = decode_arguments(spec, self._app)
        else:
            fill_options(spec, options)
        running = request.current()
        sender = None if running is None else running.id
        headers = dict(spec.headers)
        if node.group:
            headers[request.GROUP_HEADER] = node.group
        context = request.Context(
            id=node.id,
            task=node.task,
            kwargs=kwargs,
            app=self._app,
            argsrepr=spec.args_repr,
            kwargsrepr=spec.kwargs_repr,
            headers=headers,
            is_eager=True,
            root_id=(running.root_id if running is not None else None) or self._root,
            parent_id=node.after[0].source if node.after else sender,
            ignore_result=bool(spec.ignore_result or task.ignore_result),
            stamps=stamps_of(spec),
            trail=task.trail,
        )
        context.args = (*self._inputs(node, task), *args)
        return context

    def _inputs(self, node: Node, task: Any) -> list[Any]:
        handed: list[Any] = []
        has_failed = False
        for edge in node.after:
            if edge.passes is Pass.NOTHING or (edge.on is not On.SUCCESS and (has_failed or not self._fires(edge))):
                continue
            source = self._ended[edge.source]
            if edge.on is On.SUCCESS:
                handed.append(source.result)
            else:
                has_failed = True
                failed = self._contexts.get(source.id) or request.Context(id=source.id, task=source.name or "")
                handed.extend(errbacks.arguments(task, failed, source.result, source.traceback))
        return handed

    def _replace(self, node: Node, output: str) -> None:
        took = self._ended[output]
        ended = EagerResult(node.id, took.result, took.state, took.traceback, node.task, self._app)
        self._end(node, ended)

    def _join(self, group: str, plan: Any) -> tuple[Iterator[Node], Callable[[], None] | None]:
        return self._app.compiled(plan), lambda: self._joining.setdefault(group, []).append(Edge(plan.id))

    # The result of it all

    def ended(self, result: Any) -> Any:
        """Give what stands for a result to come, with its parents."""
        found: Any = None
        for each in reversed(result.lineage()):
            if each.id not in self._results:
                self._results[each.id] = self._ended_one(each)
                self._results[each.id].parent = found
            found = self._results[each.id]
        return found

    def _ended_one(self, result: Any) -> Any:
        if not isinstance(result, GroupResult):
            return self._ended[result.id]
        made = GroupResult(result.id, [self.ended(member) for member in result.results], None, result.app)
        made.is_eager = True
        return made


def _ended_by(error: Exception, context: request.Context, app: Any) -> EagerResult:
    if isinstance(error, Ignore):
        return EagerResult(context.id, None, states.IGNORED, None, context.task, app)
    if isinstance(error, Reject):
        rejected = TaskRejectedError(str(error))
        return EagerResult(context.id, rejected, states.REJECTED, None, context.task, app)
    text = "".join(traceback.format_exception(error))
    return EagerResult(context.id, error, states.FAILURE, text, context.task, app)
