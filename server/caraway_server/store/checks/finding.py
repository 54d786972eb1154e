"""What a check finds, and how it is put right."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

REPAIR = "caraway doctor --repair puts it right, from the records"


@dataclass(frozen=True, slots=True)
class Repair:
    """A script that puts something right, and its request. It looks again before it writes."""

    script: str
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong in a store.

    Attributes:
        text: what, in a sentence.
        advice: what to do about it.
        repair: how it can be put right; None: not by a program.
    """

    text: str
    advice: str = REPAIR
    repair: Repair | None = field(default=None, compare=False)
