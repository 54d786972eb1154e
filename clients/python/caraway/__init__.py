"""Caraway: a task queue over gRPC. `from caraway import Caraway`."""

from caraway.app import Caraway
from caraway.canvas import Signature, chain, chord, chunks, group, maybe_signature, signature, xmap, xstarmap
from caraway.result import AsyncResult
from caraway.task import Task
from caraway.unique import Unique

__all__ = [
    "AsyncResult",
    "Caraway",
    "Signature",
    "Task",
    "Unique",
    "chain",
    "chord",
    "chunks",
    "group",
    "maybe_signature",
    "signature",
    "xmap",
    "xstarmap",
]
