"""Canvases: what an app does with them, and with their results."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, cast

from caraway import eager, errbacks, result_tuples
from caraway.async_result import AsyncResult
from caraway.canvas.graph import Node
from caraway.canvas.sender import Plan
from caraway.gateway import Gateway
from caraway.group_result import GroupResult
from caraway.middleware import MiddlewareChain, Submission
from caraway.result_set import ResultSet
from caraway.routing import Routing
from caraway.send_policy import SendPolicy
from caraway.spec import CallOptions
from caraway.steps import awalk, walk
from caraway.v1 import workflow_pb2
from caraway.workflow import submitting, to_nodes
from caraway.workflows import Workflows

__all__ = ["Canvases"]


class Canvases(Routing):
    """Base of apps."""

    task_always_eager: bool
    task_eager_propagates: bool
    task_store_eager_result: bool

    @property
    def middleware(self) -> MiddlewareChain:
        """What is around submits and attempts."""
        raise NotImplementedError

    @property
    def gateway(self) -> Gateway:
        """The gateway of this app."""
        raise NotImplementedError

    def policy_of(self, options: CallOptions) -> SendPolicy | None:
        """Give what the options `retry` and `retry_policy` of a call say, laid over the app's."""
        raise NotImplementedError

    def send_canvas(self, plan: Plan) -> Any:
        """Submit a canvas as a workflow, whose nodes are kept as one, and give its result. Raises as `Task.delay`.

        An empty one is not sent, and has no result: None.
        """
        if plan.is_empty:
            return None
        if self.task_always_eager:
            return eager.apply(self, plan, exact=True, propagate=self.task_eager_propagates)
        policy = self.policy_of(plan.options)
        result = plan.freeze()
        walk(self, submitting(self.nodes_of(plan), self, policy))
        return result

    async def asend_canvas(self, plan: Plan) -> Any:
        """Async twin of `send_canvas`."""
        if plan.is_empty:
            return None
        if self.task_always_eager:
            return eager.apply(self, plan, exact=True, propagate=self.task_eager_propagates)
        policy = self.policy_of(plan.options)
        result = plan.freeze()
        await awalk(self, submitting(self.nodes_of(plan), self, policy))
        return result

    def nodes_of(self, plan: Plan, *, is_part: bool = False) -> Iterator[workflow_pb2.WorkflowNode]:
        """Give a frozen canvas in the contract's words; `is_part` as `to_nodes`. Raises as `Task.delay`."""
        return to_nodes(self.compiled(plan), partial(self.options_of, known={}), self.turned, is_part=is_part)

    def compiled(self, plan: Plan) -> Iterator[Node]:
        """Give the nodes of a frozen canvas, each as middleware around its submit has left it."""
        return map(self._through_middleware, plan.compile()) if self.middleware.has_submit else plan.compile()

    def _through_middleware(self, node: Node) -> Node:
        if not node.task:
            return node
        passed: list[Submission] = []

        def last(submission: Submission) -> AsyncResult[Any]:
            passed.append(submission)
            return AsyncResult(node.id, self)

        self.middleware.submit(
            Submission(self, node.task, node.args, node.kwargs, cast(CallOptions, node.options)), last
        )
        if len(passed) != 1:
            raise TypeError(f"a middleware is to call call_next once for {node.task}, which is part of a canvas")
        (sent,) = passed
        return replace(
            node, task=sent.name, args=sent.args, kwargs=sent.kwargs, options=cast(dict[str, Any], sent.options)
        )

    def options_of(self, node: Node, known: dict[str, int] | None = None) -> CallOptions:
        """Give the options of a node's call: routed, and with how its arguments are written and shown.

        `known` has the priorities of the nodes before it, in the contract's words, and is given its own: that of a
        collect is the first of its members'.
        """
        known = {} if known is None else known
        before = known.get(node.after[0].source) if node.after else None
        inherited = None if before is None else self.turned(before)
        options = self.routed(node.task, node.args, node.kwargs, cast(CallOptions, node.options), inherited)
        priority = options.get("priority")
        if self.task_inherit_parent_priority and priority is not None:
            known[node.id] = priority
            if node.group:
                known[node.group] = max(priority, known.get(node.group, priority))
        task = self.tasks.get(node.task)
        if task is None or task.hiding is None:
            return self.with_form(node.args, node.kwargs, options, None)
        return self.with_form((*errbacks.handed_to(task, node), *node.args), node.kwargs, options, task.hiding)

    def apply(self, plan: Plan, propagate: bool | None = None) -> Any:
        """Run a canvas here and now, without a gateway; `propagate` is by default `task_eager_propagates`."""
        if plan.is_empty:
            return None
        propagate = self.task_eager_propagates if propagate is None else propagate
        return eager.apply(self, plan, exact=False, propagate=propagate)

    @property
    def workflows(self) -> Workflows:
        """Lists canvases that were sent, cancels them, and runs again what failed in them."""
        return Workflows(self)

    def GroupResult(self, id: str | None = None, results: Iterable[Any] = (), parent: Any = None) -> GroupResult:
        """The results of a group; `GroupResult.restore(id, app)` finds those of one that was sent."""
        return GroupResult(id, results, parent, self)

    def ResultSet(self, results: Iterable[Any]) -> ResultSet:
        """Results to be asked together."""
        return ResultSet(results, self)

    def result_from_tuple(self, form: Any) -> Any:
        """Make a result of what its `as_tuple` gave, as tuples or lists, or of an id; gives a result as it is."""
        return result_tuples.read(form, self)
