"""Submitting: what an app does with calls of tasks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Unpack, cast

from caraway import batch as batches
from caraway import publishing
from caraway.async_result import AsyncResult
from caraway.batch import Batch
from caraway.canvas import Signature, signature
from caraway.canvases import Canvases
from caraway.exceptions import SubmitError
from caraway.hiding import Hiding
from caraway.ids import uuid7
from caraway.middleware import Submission
from caraway.send_policy import SendPolicy, send_policy
from caraway.signals import after_task_publish, before_task_publish
from caraway.spec import CallOptions, fill
from caraway.unique import arguments_by_name
from caraway.v1 import task_pb2

__all__ = ["Submitting"]


class Submitting(Canvases):
    """Base of apps."""

    task_publish_retry: bool
    task_publish_retry_policy: Mapping[str, Any]

    @property
    def _send_policy(self) -> SendPolicy | None:
        raise NotImplementedError

    def submit(self, name: str, args: Sequence[Any], kwargs: dict[str, Any], options: CallOptions) -> AsyncResult[Any]:
        """Submit a task by name, at once or with the open batch. Raises as `Task.delay`."""
        if self.task_always_eager or "link" in options or "link_error" in options:
            return self._ignored(options, self.send_canvas(Signature(name, args, kwargs, options, app=self)))
        if not self.middleware.has_submit:
            return self._submit(name, args, kwargs, options)
        submission = Submission(self, name, tuple(args), kwargs, options)
        return cast(AsyncResult[Any], self.middleware.submit(submission, self._submit_passed))

    def _ignored(self, options: CallOptions, result: Any) -> AsyncResult[Any]:
        """What is run here and now gives its result all the same, as with Celery."""
        if not self.task_always_eager:
            result.ignored = options.get("ignore_result") is True
        return cast(AsyncResult[Any], result)

    def _submit_passed(self, passed: Submission) -> AsyncResult[Any]:
        return self._submit(passed.name, passed.args, passed.kwargs, passed.options)

    def _submit(self, name: str, args: Sequence[Any], kwargs: dict[str, Any], options: CallOptions) -> AsyncResult[Any]:
        result, options, named = self._prepare(name, args, kwargs, options)
        batch = batches.current(self)
        policy = self._policy(options, batch)
        if batch is not None:
            batch.add(result.id, name, args, kwargs, options, named, None if named is None else result)
        else:
            spec = task_pb2.TaskSpec()
            fill(spec, result.id, name, args, kwargs, options, named)
            result.id = self.gateway.submit(spec, policy)
            if after_task_publish.receivers:
                publishing.after(spec, self)
        return result

    async def asubmit(
        self, name: str, args: Sequence[Any], kwargs: dict[str, Any], options: CallOptions
    ) -> AsyncResult[Any]:
        """Async twin of `submit`."""
        if self.task_always_eager or "link" in options or "link_error" in options:
            return self._ignored(options, await self.asend_canvas(Signature(name, args, kwargs, options, app=self)))
        if not self.middleware.has_submit:
            return await self._asubmit(name, args, kwargs, options)
        submission = Submission(self, name, tuple(args), kwargs, options)
        return cast(AsyncResult[Any], await self.middleware.asubmit(submission, self._asubmit_passed))

    async def _asubmit_passed(self, passed: Submission) -> AsyncResult[Any]:
        return await self._asubmit(passed.name, passed.args, passed.kwargs, passed.options)

    async def _asubmit(
        self, name: str, args: Sequence[Any], kwargs: dict[str, Any], options: CallOptions
    ) -> AsyncResult[Any]:
        result, options, named = self._prepare(name, args, kwargs, options)
        batch = batches.current(self)
        policy = self._policy(options, batch)
        if batch is not None:
            batch.add(result.id, name, args, kwargs, options, named, None if named is None else result)
            await batch.aroom()
        else:
            spec = task_pb2.TaskSpec()
            fill(spec, result.id, name, args, kwargs, options, named)
            result.id = await self.gateway.asubmit(spec, policy)
            if after_task_publish.receivers:
                publishing.after(spec, self)
        return result

    def _prepare(
        self, name: str, args: Sequence[Any], kwargs: dict[str, Any], options: CallOptions
    ) -> tuple[AsyncResult[Any], CallOptions, dict[str, Any] | None]:
        """The result, the options routed, and for a unique task its arguments by name."""
        options = self.routed(name, args, kwargs, options)
        task = self.tasks.get(name)
        options = self.with_form(args, kwargs, options, None if task is None else task.hiding)
        result_class = AsyncResult if task is None else task.result_class
        result: AsyncResult[Any] = result_class(options.get("task_id") or uuid7(), self)
        result.ignored = options.get("ignore_result") is True
        if before_task_publish.receivers:
            options = publishing.before(result.id, name, args, kwargs, options, self.turned)
        if not options.get("unique"):
            return result, options, None
        return result, options, kwargs if task is None else arguments_by_name(task.run, args, kwargs)

    def _policy(self, options: CallOptions, batch: Batch | None) -> SendPolicy | None:
        if "retry" not in options and "retry_policy" not in options:
            return self._send_policy
        policy = self.policy_of(options)
        if batch is not None and policy != batch.policy:
            raise ValueError("many tasks of a batch are one call: say retry and retry_policy to app.batch()")
        return policy

    def policy_of(self, options: CallOptions) -> SendPolicy | None:
        """Give what the options `retry` and `retry_policy` of a call say, laid over the app's."""
        retry, policy = options.get("retry"), options.get("retry_policy")
        retry = self.task_publish_retry if retry is None else retry
        return send_policy(retry, {**self.task_publish_retry_policy, **(policy or {})})

    def send_task(
        self,
        name: str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncResult[Any]:
        """Submit a task by its name, which this program need not know. Raises as `Task.delay`."""
        return self.submit(name, tuple(args or ()), dict(kwargs or {}), options)

    async def asend_task(
        self,
        name: str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncResult[Any]:
        """Async twin of `send_task`."""
        return await self.asubmit(name, tuple(args or ()), dict(kwargs or {}), options)

    def submit_many(self, signatures: Iterable[Signature]) -> list[AsyncResult[Any]]:
        """Submit many tasks in batches, in order. Raises SubmitError if some are refused; the others are accepted.

        An error of the iterable, or of an argument, comes after what was before it was sent.
        """
        results: list[AsyncResult[Any]] = []
        batch = self.batch()
        try:
            with batch:
                for signature in signatures:
                    results.append(signature.apply_async())  # noqa: PERF401 - an error must keep what was sent
        except SubmitError as error:
            raise self._with_results(error, results) from None
        return results

    async def asubmit_many(self, signatures: Iterable[Signature]) -> list[AsyncResult[Any]]:
        """Async twin of `submit_many`."""
        results: list[AsyncResult[Any]] = []
        try:
            async with self.batch():
                for signature in signatures:
                    results.append(await signature.aapply_async())  # noqa: PERF401 - as above
        except SubmitError as error:
            raise self._with_results(error, results) from None
        return results

    def _with_results(self, error: SubmitError, results: list[AsyncResult[Any]]) -> SubmitError:
        accepted = [result for result in results if result.id not in error.errors]
        return SubmitError(accepted, error.errors, accepted=error.accepted)

    def batch(self, *, retry: bool | None = None, retry_policy: Mapping[str, Any] | None = None) -> Batch:
        """`with app.batch():` (or `async with`) sends what is submitted inside it in batches, confirmed at its end.

        `delay` inside returns its AsyncResult at once. Leaving the block raises SubmitError if some were refused.
        `retry` and `retry_policy` are as for one call, and hold for each batch that is sent.
        """
        return Batch(self, self.policy_of({"retry": retry, "retry_policy": retry_policy}))

    def signature(
        self,
        name: str | Mapping[str, Any],
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *,
        immutable: bool = False,
        **options: Unpack[CallOptions],
    ) -> Signature:
        """Make a signature of a task by its name, or of a signature's dict form."""
        return signature(name, args, kwargs, app=self, immutable=immutable, **options)

    def AsyncResult(self, id: str) -> AsyncResult[Any]:
        """The result of the task with this id."""
        return AsyncResult(id, self)

    def hiding_of(self, name: str) -> Hiding | None:
        """Give what hides arguments of the task of this name; None where nothing does."""
        task = self.tasks.get(name)
        return None if task is None else task.hiding

    def find_task(self, name: str) -> Any:
        """The task of this name. Raises NotRegistered."""
        return self.tasks[name]
