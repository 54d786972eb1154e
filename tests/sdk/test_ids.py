"""Ids are UUIDv7: unique, sorted by time, and different in a forked child."""

import itertools
import random
import subprocess
import sys
import time
import uuid

from caraway.ids import uuid7


def test_ids_are_uuids_of_version_7_that_tell_the_time() -> None:
    before = time.time_ns() // 1_000_000
    text = uuid7()
    after = time.time_ns() // 1_000_000
    made = uuid.UUID(text)
    assert str(made) == text
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before <= made.int >> 80 <= after


def test_ids_are_unique_and_nearly_sorted() -> None:
    ids = [uuid7() for _ in range(20_000)]
    assert len(set(ids)) == len(ids)
    # The clock is read in between: neighbours differ in time more often than not.
    in_order = sum(left < right for left, right in itertools.pairwise(ids))
    assert in_order > 0.9 * len(ids)


def test_seeding_the_shared_generator_repeats_no_id() -> None:
    random.seed(1)
    first = uuid7()
    random.seed(1)
    assert uuid7()[20:] != first[20:]


def test_parent_and_child_draw_different_ids() -> None:
    program = """
import os
from caraway.ids import uuid7
uuid7()
if os.fork() == 0:
    print(uuid7()[20:], flush=True)
    os._exit(0)
os.wait()
print(uuid7()[20:])
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    child, parent = ended.stdout.split()
    assert child != parent
