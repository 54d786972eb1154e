"""The pools by name: how the slots of a child run tasks."""

from collections.abc import Callable
from dataclasses import dataclass

from caraway_worker import asyncio_pool, gevent_pool, inline_pool, thread_pool
from caraway_worker.runner import Runner, RunnerHome
from caraway_worker.shared import ChildSlotCells
from caraway_worker.soft_limit import SoftLimit, ThreadSoftLimit


@dataclass(frozen=True, slots=True)
class PoolKind:
    """How a pool runs tasks.

    Arguments: `soft_limit` and `runner` make what a child needs; `prepare` is called first thing in the child;
    `shares_child`: whether one child has many slots; `in_children`: False where tasks run in the worker's own process.
    """

    name: str
    runner: Callable[[RunnerHome], Runner]
    soft_limit: Callable[[ChildSlotCells], SoftLimit] = SoftLimit
    prepare: Callable[[], None] = lambda: None
    shares_child: bool = False
    in_children: bool = True


_KINDS = {
    kind.name: kind
    for kind in (
        PoolKind("process", inline_pool.InlineRunner),
        PoolKind("thread", thread_pool.ThreadRunner, ThreadSoftLimit, shares_child=True),
        PoolKind("asyncio", asyncio_pool.AsyncioRunner, ThreadSoftLimit, shares_child=True),
        PoolKind(
            "gevent",
            gevent_pool.runner,
            gevent_pool.soft_limit,
            prepare=gevent_pool.prepare,
            shares_child=True,
        ),
        PoolKind("solo", inline_pool.InlineRunner, in_children=False),
    )
}

SYNONYMS = {"prefork": "process", "processes": "process", "threads": "thread"}
POOL_NAMES = (*_KINDS, *SYNONYMS, "eventlet")


def pool_named(name: str) -> PoolKind:
    """Return the pool of this name or synonym. Raises KeyError."""
    return _KINDS[SYNONYMS.get(name, name)]
