"""What the app's configuration says of the worker: it holds where no flag, variable or file says otherwise."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from caraway.settings import InvalidSettings, Problem, Unreadable, definitions
from caraway_worker.settings import Settings


class Reconfigured(Exception):
    """The app names other settings than those that the worker was started with."""

    def __init__(self, settings: Settings) -> None:
        """`settings` are those to start it with."""
        super().__init__("the app names other settings")
        self.settings = settings


def settings_of_app(settings: Settings, unnamed: Collection[str], told: Mapping[str, Any]) -> Settings:
    """Lay what the app names over the fields that nobody has named. Raises InvalidSettings."""
    kinds = {one.field: one.kind for one in definitions(Settings)}
    changes: dict[str, Any] = {}
    for field, value in told.items():
        if field in unnamed:
            try:
                changes[field] = kinds[field].read(value)
            except Unreadable as error:
                raise InvalidSettings([Problem(field, str(error), str(value), "app.conf")]) from None
    return replace(settings, **changes) if changes else settings
