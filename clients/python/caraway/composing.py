"""What a task has for canvases: parts made of it, running it here and now, and replacing itself by others."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Unpack, cast

from caraway.builtin_tasks import ACCUMULATE
from caraway.canvas import Signature, StampingVisitor, chunks, maybe_signature, xmap, xstarmap
from caraway.eager_result import EagerResult
from caraway.exceptions import Replaced
from caraway.group_result import GroupResult
from caraway.request import Context
from caraway.spec import CallOptions
from caraway.workflow import add_member

__all__ = ["Composing"]


class Composing:
    """A base of Task."""

    app: Any
    name: str

    @property
    def request(self) -> Context:
        """The attempt that runs here."""
        raise NotImplementedError

    # Parts of canvases

    def map(self, it: Iterable[Any]) -> xmap:
        """Make the signature of one task that calls this one for each item; its result is the list of theirs."""
        return xmap(self, it, app=self.app)

    def starmap(self, it: Iterable[Any]) -> xstarmap:
        """As `map`, with each item as the call's positional arguments."""
        return xstarmap(self, it, app=self.app)

    def chunks(self, it: Iterable[Any], n: int) -> chunks:
        """Cut calls into parts of `n`, each of them one task; `it` gives the positional arguments of each call."""
        return chunks(self, it, n, app=self.app)

    # Here and now

    def apply(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        throw: bool | None = None,
        **options: Unpack[CallOptions],
    ) -> EagerResult:
        """Run it here and now, without a gateway, with what is linked to it; retries are made at once.

        `throw=True` raises what it raises; the result's `get` does in any case.
        """
        plan = Signature(self, args, kwargs, options)
        return cast(EagerResult, self.app.apply(plan, throw))

    # Inside an attempt

    def replace(self, sig: Any, visitor: StampingVisitor | None = None, append_stamps: bool = False) -> Any:
        """Give this task's place to a canvas: raises Replaced, so nothing after it runs.

        The task ends as the canvas does, under its own id: what waits for it, follows it, or is linked to it gets the
        canvas's outcome. A group's is the list of its members'. The canvas is stamped as this task is, and by
        `visitor`. In a task that was called directly, the canvas is run here and now, and its value returned.
        """
        plan = maybe_signature(sig, self.app, clone=True)
        if not isinstance(plan, Signature):
            raise TypeError(f"replace() takes a signature, not {sig!r:.200}")
        attempt = self.request
        if attempt.called_directly:
            return plan.apply().get()
        if attempt.stamps:
            plan.stamp(None, True, **attempt.stamps)
        if visitor is not None:
            plan.stamp(visitor, append_stamps)
        if isinstance(plan.freeze(), GroupResult):
            plan = plan | Signature(ACCUMULATE, app=self.app)
        return self.on_replace(plan)

    def on_replace(self, sig: Signature) -> Any:
        """Called by `replace` with what is to run instead; a class of one's own may change it, and calls this at its
        end.
        """
        sig.freeze()
        nodes = () if self.request.is_eager else tuple(self.app.nodes_of(sig, is_part=True))
        raise Replaced(nodes, cast(str, sig.id), sig)

    def add_to_chord(self, sig: Any) -> Any:
        """Add a canvas to the chord, or the group, that this task is a member of. It starts when this task has
        succeeded.

        Returns its result to come. Raises ValueError in a task that is no member.
        """
        attempt = self.request
        if not attempt.group:
            raise ValueError("add_to_chord() needs a task that is a member of a chord or a group")
        plan = maybe_signature(sig, self.app, clone=True)
        result = plan.freeze()
        if attempt.is_eager:
            attempt.added = [*(attempt.added or ()), plan]
        else:
            attempt.added_nodes = attempt.added_nodes or []
            add_member(attempt.added_nodes, attempt.group, self.app.nodes_of(plan, is_part=True), plan.id)
        return result
