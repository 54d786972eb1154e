"""Names of settings as programs write them: today's name of each, and what is said of one that is not honoured."""

import difflib
from collections.abc import Iterable, Iterator

from caraway.conf.options import OPTIONS
from caraway.exceptions import ImproperlyConfigured
from caraway.migration.names import find, of_kind
from caraway.migration.old_settings import current_name

__all__ = ["canonical", "checked_name", "is_setting", "misspelt", "pointless", "pointless_text"]

_NEAR = 0.85
_OURS = {"default_queue": "task_default_queue", "target": "broker_url"}
"""Arguments of the constructor that are settings, too."""


def canonical(written: str) -> str:
    """Give the name under which a setting is kept: CELERYD_CONCURRENCY is worker_concurrency."""
    if written in OPTIONS:
        return written
    return _OURS.get(written) or current_name(written)


def pointless(name: str) -> bool:
    """Whether Celery has this setting, and an app here nothing that it would change."""
    return name not in OPTIONS and find("setting", name) is not None


def is_setting(name: str) -> bool:
    """Whether it is a setting, of ours or of Celery's, by its name of today."""
    return name in OPTIONS or pointless(name)


def misspelt(name: str) -> str:
    """Give the setting that was probably meant by a name that is none's; empty: it is one, or the program's own."""
    if is_setting(name):
        return ""
    known = [*OPTIONS, *(one.name for one in of_kind("setting"))]
    return next(iter(difflib.get_close_matches(name.lower(), known, 1, _NEAR)), "")


def checked_name(written: str) -> str:
    """As `canonical`. Raises ImproperlyConfigured for a name that is almost a setting's."""
    name = canonical(written)
    if meant := misspelt(name):
        raise ImproperlyConfigured(f"no setting has the name {written!r}; did you mean {meant!r}?")
    return name


def pointless_text(names: Iterable[str]) -> Iterator[str]:
    """Say of each of these what stands in its place."""
    for name in sorted(names):
        known = find("setting", name)
        yield f"{name}: {known.advice if known is not None else 'unknown'}"
