"""What supervisor and child say to each other: one byte of kind, the length of the body, the body."""

import enum
import struct
from collections.abc import Iterator

HEAD = struct.Struct("<BI")
# ASSIGN: sequence number, latest start by CLOCK_MONOTONIC in nanoseconds (0: none); a TaskLease follows.
ASSIGN_HEAD = struct.Struct("<QQ")
# DONE: sequence number, run time in nanoseconds, number of the TaskReport field that is set; a TaskReport follows.
DONE_HEAD = struct.Struct("<QQB")
# SKIPPED, BEGUN, PROGRESS: sequence number; after PROGRESS a TaskReport follows.
SEQUENCE = struct.Struct("<Q")


class Kind(enum.IntEnum):
    """The kinds of frames; those above 100 go from child to supervisor."""

    ASSIGN = 1
    LIMITS = 2  # JSON: what the gateway allows; see child.Limits
    NOTICE = 3  # something that receivers of signals are to hear; see notice.Notice
    COMMAND = 4  # a WorkerCommand
    READY = 101  # JSON: the catalog
    BROKEN = 102  # text: why the app can't be loaded; the child exits
    DONE = 103
    SKIPPED = 104  # a withdrawn or expired assignment that was not started
    BEGUN = 105  # a task that wants its start to be known was started
    PROGRESS = 106
    RING = 107  # no body: look into the ring
    ANSWER = 109  # a CommandReply
    BYE = 108  # no body: nothing is started from here on, the child exits


def pack(kind: int, body: bytes = b"") -> bytes:
    """Return the frame as bytes."""
    return HEAD.pack(kind, len(body)) + body


def split(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield kind and body of each frame in `data`, which holds whole frames only."""
    position, end = 0, len(data)
    while position < end:
        kind, length = HEAD.unpack_from(data, position)
        position += HEAD.size
        yield kind, data[position : position + length]
        position += length


class FrameReader:
    """Cuts a stream of bytes into frames."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> list[tuple[int, bytes]]:
        """Take what was read and return the frames that are complete with it."""
        rest = self._rest
        rest += chunk
        frames = []
        position, end = 0, len(rest)
        while end - position >= HEAD.size:
            kind, length = HEAD.unpack_from(rest, position)
            stop = position + HEAD.size + length
            if stop > end:
                break
            frames.append((kind, bytes(rest[position + HEAD.size : stop])))
            position = stop
        del rest[:position]
        return frames
