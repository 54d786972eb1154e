"""The memory that a child shares with its supervisor: cells that tell who runs what, and a ring for results.

Why it is there: the supervisor must know, without any help from a child that is busy or dead, which assignment each
slot of the child is running, which it has finished and with what result; and it must be able to take back what is not
started.

**Taking back.** Each slot has its own cells; assignments to it carry rising sequence numbers. Before a slot starts
assignment s it writes `started = s` and then reads `withdrawn_below`; if s is below, it does not run it and the child
says SKIPPED. To take back all that is not started the supervisor writes `withdrawn_below = next sequence number` and
then reads `started`: what is above is surely not run and may go elsewhere; later assignments have higher numbers, so
nothing needs to be reset. Each side writes its own cell before it reads the other's, with a full memory fence between:
at least one of them sees the other's write. (If both do, the child skips an assignment that the supervisor believes
running; the SKIPPED frame puts that right.)

**Results.** The child writes frames into the ring and moves `head`; the supervisor reads up to `head` and moves `tail`.
What is in the ring outlives the child, so no finished result is lost with it, however it dies. A RING frame over the
socket wakes the supervisor; `rung` says that one is under way, so a busy supervisor is not rung at for each result.

Cells are aligned 64-bit words, written by one side only and by one machine instruction; the two sides' cells lie in
different cache lines: three lines for the ring, then two for each slot, then the ring itself on a page of its own.
"""

import mmap
import os
import sys
import tempfile
import threading

RING_BYTES = 1 << 18
_MASK = RING_BYTES - 1
_PAGE = 4096
_LINE_CELLS = 8

# Indexes of the ring's cells: written by the child, by the supervisor, by both (the child sets, the other clears it).
_HEAD, _TAIL, _RUNG = 0, _LINE_CELLS, 2 * _LINE_CELLS
_FIRST_SLOT = 3 * _LINE_CELLS
_SLOT_CELLS = 2 * _LINE_CELLS
# Indexes of a slot's cells, from its first one. Written by the child:
_STARTED, _STARTED_NS = 0, 1
# Written by the supervisor:
_WITHDRAWN_BELOW, _CANCELLED, _SOFT_LIMIT = _LINE_CELLS, _LINE_CELLS + 1, _LINE_CELLS + 2

# Taken before gevent puts its own in its place, which orders nothing in memory.
_new_lock = threading.Lock


def _cells_bytes(slots: int) -> int:
    return (_FIRST_SLOT + _SLOT_CELLS * slots) * 8


def _ring_offset(slots: int) -> int:
    return -(-_cells_bytes(slots) // _PAGE) * _PAGE


def create_shared_file(slots: int) -> int:
    """Return the descriptor of a new anonymous file of the right size for so many slots; the caller closes it."""
    if sys.platform == "linux":
        fd = os.memfd_create("caraway-child")
    else:
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, _ring_offset(slots) + RING_BYTES)
    return fd


class Fence:
    """A full memory fence: what was written before it is seen by others before what is read after it.

    CPython has no fence, but releasing a lock is a store with release semantics and taking it an atomic operation with
    acquire semantics; one after the other on the same lock orders everything around them, on x86 and on arm. Costs 0.1
    microseconds.
    """

    __slots__ = ("_acquire", "_release")

    def __init__(self) -> None:
        lock = _new_lock()
        lock.acquire()
        self._acquire, self._release = lock.acquire, lock.release

    def __call__(self) -> None:
        """Order all memory accesses before the call with those after it. One thread at a time."""
        self._release()
        self._acquire()


class _Shared:
    """The mapping, as both sides hold it."""

    def __init__(self, fd: int, slots: int) -> None:
        self._ring_offset = _ring_offset(slots)
        self._memory = mmap.mmap(fd, self._ring_offset + RING_BYTES)
        self._cells = memoryview(self._memory)[: _cells_bytes(slots)].cast("Q")
        self._slot_cells = [
            self._cells[first : first + _SLOT_CELLS]
            for first in range(_FIRST_SLOT, _FIRST_SLOT + _SLOT_CELLS * slots, _SLOT_CELLS)
        ]
        self._fence = Fence()

    def close(self) -> None:
        """Unmap the memory; its slots must not be used after that."""
        for cells in self._slot_cells:
            cells.release()
        self._cells.release()
        self._memory.close()


class ChildSlotCells:
    """One slot's cells as the child uses them: `start` by one thread at a time."""

    __slots__ = ("_cells", "_fence")

    def __init__(self, cells: "memoryview[int]") -> None:
        self._cells = cells
        self._fence = Fence()

    def start(self, sequence: int, now_ns: int) -> bool:
        """Say that assignment `sequence` starts at `now_ns`; False: it is withdrawn and must not be run."""
        cells = self._cells
        cells[_STARTED_NS] = now_ns
        cells[_STARTED] = sequence
        self._fence()
        return cells[_WITHDRAWN_BELOW] <= sequence

    def cancelled(self, sequence: int) -> bool:
        """Whether the cancellation of this assignment is asked for."""
        return self._cells[_CANCELLED] == sequence

    def soft_limit_struck(self, sequence: int) -> bool:
        """Whether the soft limit signal is meant for this assignment."""
        return self._cells[_SOFT_LIMIT] == sequence


class ChildSide(_Shared):
    """The memory as the child uses it: `write` and `ring` under the caller's lock."""

    def __init__(self, fd: int, slots: int) -> None:
        super().__init__(fd, slots)
        self.slots = [ChildSlotCells(cells) for cells in self._slot_cells]

    def write(self, frame: bytes) -> bool:
        """Put a whole frame into the ring; False: there is no room, nothing was written."""
        cells, memory, offset = self._cells, self._memory, self._ring_offset
        head, size = cells[_HEAD], len(frame)
        if head + size - cells[_TAIL] > RING_BYTES:
            return False
        begin = head & _MASK
        room = RING_BYTES - begin
        position = offset + begin
        if size <= room:
            memory[position : position + size] = frame
        else:
            memory[position : position + room] = frame[:room]
            memory[offset : offset + size - room] = frame[room:]
        self._fence()
        cells[_HEAD] = head + size
        return True

    def ring(self) -> bool:
        """Whether the supervisor must be woken by a RING frame; False: one is under way."""
        self._fence()
        cells = self._cells
        if cells[_RUNG]:
            return False
        cells[_RUNG] = 1
        return True


class SupervisorSlotCells:
    """One slot's cells as the supervisor uses them."""

    __slots__ = ("_cells", "_fence")

    def __init__(self, cells: "memoryview[int]", fence: Fence) -> None:
        self._cells = cells
        self._fence = fence

    def running(self) -> tuple[int, int]:
        """Return the sequence number last started, and when, by CLOCK_MONOTONIC in nanoseconds."""
        cells = self._cells
        return cells[_STARTED], cells[_STARTED_NS]

    def withdraw_below(self, sequence: int) -> int:
        """Withdraw all assignments below `sequence` that are not started; return the last that may have been."""
        self._cells[_WITHDRAWN_BELOW] = sequence
        self._fence()
        return self._cells[_STARTED]

    def cancel(self, sequence: int) -> None:
        """Tell the task of this assignment that its cancellation is asked for."""
        self._cells[_CANCELLED] = sequence

    def aim_soft_limit(self, sequence: int) -> None:
        """Say which assignment the soft limit signal that follows is meant for."""
        self._cells[_SOFT_LIMIT] = sequence


class SupervisorSide(_Shared):
    """The memory as the supervisor uses it."""

    def __init__(self, fd: int, slots: int) -> None:
        super().__init__(fd, slots)
        self.slots = [SupervisorSlotCells(cells, self._fence) for cells in self._slot_cells]

    def read(self) -> bytes:
        """Take all frames out of the ring; whole ones only, possibly none."""
        cells, memory, offset = self._cells, self._memory, self._ring_offset
        cells[_RUNG] = 0
        self._fence()
        head, tail = cells[_HEAD], cells[_TAIL]
        if head == tail:
            return b""
        self._fence()
        begin, end = tail & _MASK, head & _MASK
        if begin < end:
            data = memory[offset + begin : offset + end]
        else:
            data = memory[offset + begin : offset + RING_BYTES] + memory[offset : offset + end]
        self._fence()
        cells[_TAIL] = head
        return data
