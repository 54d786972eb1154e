"""The conformance vectors, what they are in Python, and values by chance."""

import json
import random
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

VECTORS = Path(__file__).parents[1] / "conformance" / "vectors"


def vectors(name: str) -> Any:
    """One file of them."""
    return json.loads((VECTORS / f"{name}.json").read_text("utf-8"))


# What each vector of the contract is in Python.
IN_PYTHON: dict[str, Any] = {
    "null": None,
    "true": True,
    "text": "Kümmel 茴香 🌿",
    "escaped text": 'a"b\\c\n\x00',
    "integer": 42,
    "negative integer": -7,
    "integer beyond 2^53": 2**53 + 1,
    "integer beyond 64 bits": 2**100,
    "double": 0.1,
    "integral double": 2.0,
    "small double": 5e-324,
    "list": [1, "two", [3.5, None]],
    "object": {"a": 1, "b": {"c": [True]}},
    "bytes": b"\x00\xff",
    "empty bytes": b"",
    "date": date(2026, 1, 31),
    "local datetime": datetime(2026, 1, 31, 12, 30),
    "datetime in UTC": datetime(2026, 1, 31, 12, 30, 0, 1, tzinfo=UTC),
    "datetime with offset": datetime(2026, 1, 31, 12, 30, tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
    "time": time(23, 59, 59, 999999),
    "time with offset": time(8, 0, tzinfo=timezone(timedelta(hours=2))),
    "duration": timedelta(days=1, microseconds=1),
    "negative duration": timedelta(seconds=-1.5),
    "decimal": Decimal("1.50"),
    "decimal with exponent": Decimal("1E+3"),
    "uuid": UUID("0198c0de-7000-8000-8000-00000000002a"),
    "tuple": (1, ("a",)),
    "empty tuple": (),
    "set": {1, 2},
    "object with the tag's key": {"$caraway": "date", "value": "not one"},
}


def draw(generator: random.Random, depth: int, bits: int = 70) -> Any:
    """Some value; its integers have at most so many bits."""
    scalars = [
        lambda: generator.randint(-(2**bits), 2**bits - 1),
        lambda: generator.uniform(-1e300, 1e300),
        lambda: "".join(chr(generator.choice([36, 92, 34, 0x20AC, 0x1F33F, 10])) for _ in range(3)),
        lambda: generator.choice([None, True, False, "$caraway", "value"]),
        lambda: generator.randbytes(5),
        lambda: (
            datetime.fromtimestamp(generator.randint(0, 2**33), UTC) + timedelta(microseconds=generator.randint(0, 9))
        ),
        lambda: timedelta(microseconds=generator.randint(-(10**15), 10**15)),
        lambda: Decimal(generator.randint(-(10**20), 10**20)).scaleb(generator.randint(-30, 30)),
        lambda: UUID(int=generator.getrandbits(128)),
        lambda: {generator.randint(0, 9) for _ in range(3)},
    ]
    if depth == 0 or generator.random() < 0.4:
        return generator.choice(scalars)()
    members = [draw(generator, depth - 1, bits) for _ in range(generator.randint(0, 4))]
    kind = generator.randrange(3)
    if kind == 0:
        return members
    if kind == 1:
        return tuple(members)
    keys = ["$caraway", "value", "a", "b"]
    return dict(zip(generator.sample(keys, len(members)), members, strict=True))


def same(left: Any, right: Any) -> bool:
    """Equal, and of the same types all through (True == 1 and 2.0 == 2 are not enough)."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right)
