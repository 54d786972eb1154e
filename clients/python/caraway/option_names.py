"""Refuses options that do not exist, and says which was probably meant."""

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType

__all__ = ["check_names"]

_NONE: Mapping[str, str] = MappingProxyType({})


def check_names(
    where: str,
    given: Iterable[str],
    known: frozenset[str],
    not_yet: frozenset[str] = frozenset(),
    refused: Mapping[str, str] = _NONE,
) -> None:
    """Raise TypeError for the first of `given` that is not in `known`.

    `not_yet` and `refused` are options of Celery's that this version does not honour, the latter with the reason: they
    are named as such, not guessed at.
    """
    for name in given:
        if name in known:
            continue
        if name in refused:
            raise TypeError(f"{where} does not support the option {name!r}: {refused[name]}")
        if name in not_yet:
            raise TypeError(f"{where} does not support the option {name!r} in this version of Caraway")
        nearest = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else f"; it knows {', '.join(sorted(known))}"
        raise TypeError(f"{where} has no option {name!r}{hint}")
