"""TaskFamily: what comes before and after a task, as the gateway tells it."""

from typing import Any

from caraway.gateway import HasGateway
from caraway.request import PARENT_HEADER, ROOT_HEADER
from caraway.result_base import ResultBase
from caraway.steps import awalk, walk
from caraway.v1 import task_pb2
from caraway.workflow_nodes import followers

__all__ = ["TaskFamily"]


class TaskFamily(ResultBase):
    """A base of AsyncResult."""

    __slots__ = ()

    id: str
    app: HasGateway

    def _read(self, full: bool) -> task_pb2.Task:
        """Read the task."""
        raise NotImplementedError

    async def _aread(self, full: bool) -> task_pb2.Task:
        """Async twin of `_read`."""
        raise NotImplementedError

    @property
    def children(self) -> list[Any]:
        """The results of what it submitted while it ran, and of what its workflow runs after it and does not skip."""
        return walk(self.app, followers(self))

    async def achildren(self) -> list[Any]:
        """Async twin of `children`."""
        return await awalk(self.app, followers(self))

    @property
    def root_id(self) -> str:
        """The id of the first task of its family: of its canvas, and of the task that sent that."""
        return self._read(full=True).spec.headers.get(ROOT_HEADER, self.id)

    @property
    def parent_id(self) -> str | None:
        """The id of what comes before it in its canvas, or of the task that sent it."""
        return self._read(full=True).spec.headers.get(PARENT_HEADER)

    async def aroot_id(self) -> str:
        """Async twin of `root_id`."""
        return (await self._aread(full=True)).spec.headers.get(ROOT_HEADER, self.id)

    async def aparent_id(self) -> str | None:
        """Async twin of `parent_id`."""
        return (await self._aread(full=True)).spec.headers.get(PARENT_HEADER)
