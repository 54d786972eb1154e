"""The memory between child and supervisor, both sides in one process."""

import os
from collections.abc import Iterator

import pytest

from caraway_worker import frames
from caraway_worker.credit import MOST_BYTES, Credit
from caraway_worker.frames import FrameReader, Kind, pack, split
from caraway_worker.shared import RING_BYTES, ChildSide, SupervisorSide, create_shared_file

SLOTS = 3


@pytest.fixture
def sides() -> Iterator[tuple[ChildSide, SupervisorSide]]:
    """Both ends of one memory."""
    fd = create_shared_file(SLOTS)
    child, supervisor = ChildSide(fd, SLOTS), SupervisorSide(fd, SLOTS)
    os.close(fd)
    yield child, supervisor
    child.close()
    supervisor.close()


Sides = tuple[ChildSide, SupervisorSide]


def test_frames_come_out_as_they_went_in_many_times_around(sides: Sides) -> None:
    child, supervisor = sides
    total = 0
    for size in range(0, 4000, 7):
        written = [pack(Kind.DONE, bytes([size % 251]) * size), pack(Kind.SKIPPED, b"x")]
        assert all(child.write(frame) for frame in written)
        assert supervisor.read() == b"".join(written)
        total += sum(map(len, written))
    assert total > 4 * RING_BYTES
    assert supervisor.read() == b""


def test_full_ring_refuses_and_takes_again_once_read(sides: Sides) -> None:
    child, supervisor = sides
    frame = pack(Kind.DONE, b"y" * 10_000)
    count = 0
    while child.write(frame):
        count += 1
    assert count == RING_BYTES // len(frame)
    assert len(list(split(supervisor.read()))) == count
    assert child.write(frame)


def test_one_ring_until_the_supervisor_looks(sides: Sides) -> None:
    child, supervisor = sides
    assert child.ring()
    assert not child.ring()
    supervisor.read()
    assert child.ring()


@pytest.mark.parametrize("number", range(SLOTS))
def test_withdrawn_is_not_started_and_later_ones_are(sides: Sides, number: int) -> None:
    child, supervisor = (side.slots[number] for side in sides)
    assert child.start(1, 10)
    assert supervisor.running() == (1, 10)
    assert supervisor.withdraw_below(5) == 1
    assert not child.start(2, 20)
    assert not child.start(4, 30)
    assert child.start(5, 40)
    others = [side for position, side in enumerate(sides[1].slots) if position != number]
    assert [other.running() for other in others] == [(0, 0)] * (SLOTS - 1)


def test_cancel_and_soft_limit_name_one_assignment(sides: Sides) -> None:
    child, supervisor = (side.slots[1] for side in sides)
    supervisor.cancel(3)
    supervisor.aim_soft_limit(4)
    assert [child.cancelled(number) for number in (2, 3, 4)] == [False, True, False]
    assert [child.soft_limit_struck(number) for number in (3, 4, 5)] == [False, True, False]
    assert not sides[0].slots[0].cancelled(3)


def test_frame_reader_puts_pieces_together() -> None:
    data = pack(Kind.READY, b"a" * 300) + pack(Kind.RING) + pack(Kind.DONE, b"b")
    reader = FrameReader()
    got = [frame for position in range(len(data)) for frame in reader.feed(data[position : position + 1])]
    assert got == [(Kind.READY, b"a" * 300), (Kind.RING, b""), (Kind.DONE, b"b")]
    assert list(split(data)) == got
    assert frames.HEAD.size == 5


def test_credit_grants_what_is_missing_and_never_shrinks() -> None:
    credit = Credit()
    assert credit.grow(8, 0, 0)
    assert (credit.lease_allowance, credit.byte_allowance) == (8, MOST_BYTES)
    assert not credit.grow(8, 0, 0)
    credit.receive(8, 8000)
    assert not credit.grow(8, 8, 8000)
    assert not credit.grow(8, 7, 7000)
    assert credit.grow(8, 6, 6000)
    assert credit.lease_allowance == 10
    assert not credit.grow(1, 6, 6000)
    assert credit.lease_allowance == 10


def test_credit_grants_no_bytes_beyond_the_bound() -> None:
    credit = Credit()
    credit.grow(8, 0, 0)
    credit.receive(2, MOST_BYTES)
    credit.grow(8, 2, MOST_BYTES)
    assert credit.byte_allowance == MOST_BYTES
    assert credit.grow(8, 1, MOST_BYTES // 2)
    assert credit.byte_allowance == MOST_BYTES + MOST_BYTES // 2
