"""Canvas: calls of tasks put together before they are sent. Celery's `celery.canvas`."""

from caraway.canvas.chain import chain
from caraway.canvas.chord import chord
from caraway.canvas.chunks import chunks, xmap, xstarmap
from caraway.canvas.group import group
from caraway.canvas.sender import Sender
from caraway.canvas.signature import Signature, maybe_signature, signature
from caraway.canvas.stamping import StampingVisitor

maybe_subtask, subtask = maybe_signature, signature
"""Their old names."""

__all__ = [
    "Sender",
    "Signature",
    "StampingVisitor",
    "chain",
    "chord",
    "chunks",
    "group",
    "maybe_signature",
    "maybe_subtask",
    "signature",
    "subtask",
    "xmap",
    "xstarmap",
]
