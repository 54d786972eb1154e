"""GroupResult: the results of a group, which the gateway knows by its id."""

from collections.abc import Iterable
from typing import Any, cast

from caraway.current import current_app
from caraway.gateway import HasGateway
from caraway.ids import uuid7
from caraway.members import collected, forgetting, restored
from caraway.result_set import ResultSet
from caraway.steps import awalk, walk

__all__ = ["GroupResult"]


class GroupResult(ResultSet):
    """The results of a group, which the gateway keeps together under the group's id."""

    def __init__(
        self, id: str | None = None, results: Iterable[Any] = (), parent: Any = None, app: HasGateway | None = None
    ) -> None:
        """`id` is the group's, `parent` the result of what came before it."""
        super().__init__(results, app)
        self.id = id or uuid7()
        self.parent = parent

    def __repr__(self) -> str:
        """As Celery prints it."""
        return f"<{type(self).__name__}: {self.id} [{', '.join(str(result.id) for result in self.results)}]>"

    def __str__(self) -> str:
        """The id."""
        return self.id

    def __eq__(self, other: object) -> bool:
        """Equal to one of the same id with the same results, and to the id."""
        if isinstance(other, GroupResult):
            return self.id == other.id and self.results == other.results
        return self.id == other if isinstance(other, str) else NotImplemented

    def __hash__(self) -> int:
        """As the id's."""
        return hash(self.id)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled by its id and results, without the app."""
        return type(self), (self.id, self.results, self.parent)

    def members_as_tuples(self) -> list[Any]:
        """Give the form of its results."""
        return [result.as_tuple() for result in self.results]

    def completed_count(self) -> int:
        """How many have ended well; one call, however many they are."""
        counts = walk(self.app, collected(self)) if self.results else None
        return super().completed_count() if counts is None else counts.succeeded_count

    async def acompleted_count(self) -> int:
        """Async twin of `completed_count`."""
        counts = await awalk(self.app, collected(self)) if self.results else None
        return await super().acompleted_count() if counts is None else counts.succeeded_count

    def ready(self) -> bool:
        """True if all have ended; one call, however many they are."""
        counts = walk(self.app, collected(self)) if self.results else None
        return super().ready() if counts is None else counts.ended_count >= len(self.results)

    async def aready(self) -> bool:
        """Async twin of `ready`."""
        counts = await awalk(self.app, collected(self)) if self.results else None
        return await super().aready() if counts is None else counts.ended_count >= len(self.results)

    def save(self) -> "GroupResult":
        """Make sure that `restore` finds it: the gateway keeps every group that was sent, as long as its results.

        Returns itself. Raises ValueError for one that was put together here, which the gateway does not know.
        """
        if walk(self.app, collected(self)) is None:
            raise self._unknown()
        return self

    async def asave(self) -> "GroupResult":
        """Async twin of `save`."""
        if await awalk(self.app, collected(self)) is None:
            raise self._unknown()
        return self

    def delete(self) -> None:
        """Have the gateway forget the group, so that `restore` finds it no more; its results stay.

        Nothing for a group that it does not know. Raises ValueError where the group has not ended.
        """
        walk(self.app, forgetting(self))

    async def adelete(self) -> None:
        """Async twin of `delete`."""
        await awalk(self.app, forgetting(self))

    def _unknown(self) -> ValueError:
        return ValueError(f"the gateway knows no group {self.id}: keep the ids of its results, as by as_tuple()")

    @classmethod
    def restore(cls, id: str, app: HasGateway | None = None) -> "GroupResult | None":
        """Give the result of the group of this id; None if there is none."""
        app = app or current_app()
        return cast("GroupResult | None", walk(app, restored(id, app, cls)))

    @classmethod
    async def arestore(cls, id: str, app: HasGateway | None = None) -> "GroupResult | None":
        """Async twin of `restore`."""
        app = app or current_app()
        return cast("GroupResult | None", await awalk(app, restored(id, app, cls)))
