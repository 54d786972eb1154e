"""Task ids: UUIDv7 (RFC 9562), made by the client so that a repeated submit is the same task."""

import os
import random
import time

__all__ = ["uuid7"]

# Ids need to be unique, not secret. An own generator, because a program may seed the shared one to repeat its
# numbers; seeded anew in a forked child, or parent and child would draw the same ids.
_generator = random.Random()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_generator.seed)

_getrandbits = _generator.getrandbits
_time_ns = time.time_ns


def uuid7() -> str:
    """Make a UUIDv7 as text.

    Ids of one process sort by time to about a quarter of a microsecond, as far as its clock does not jump.
    """
    milliseconds, rest = divmod(_time_ns(), 1_000_000)
    # 48 bits of milliseconds, version 7, 12 bits of the fraction of a millisecond, variant 0b10, 62 bits by chance.
    fraction = (rest << 12) // 1_000_000
    number = (milliseconds << 80) | ((0x7000 | fraction) << 64) | 0x8000_0000_0000_0000 | _getrandbits(62)
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
