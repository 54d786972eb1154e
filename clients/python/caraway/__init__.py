"""Caraway: a task queue over gRPC. `from caraway import Caraway`."""

from caraway.app import Caraway, Celery, current_app, current_task, shared_task
from caraway.canvas import Signature, chain, chord, chunks, group, maybe_signature, signature, subtask, xmap, xstarmap
from caraway.ids import uuid7 as uuid
from caraway.middleware import Middleware
from caraway.queues import Queue
from caraway.result import AsyncResult
from caraway.task import Task
from caraway.unique import Unique

__all__ = [
    "AsyncResult",
    "Caraway",
    "Celery",
    "Middleware",
    "Queue",
    "Signature",
    "Task",
    "Unique",
    "chain",
    "chord",
    "chunks",
    "current_app",
    "current_task",
    "group",
    "maybe_signature",
    "shared_task",
    "signature",
    "subtask",
    "uuid",
    "xmap",
    "xstarmap",
]
