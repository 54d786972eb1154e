"""Linking: what a signature has run after it."""

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from caraway.canvas.form import Form
from caraway.canvas.parts import linked

__all__ = ["Linking"]

S = TypeVar("S", bound=Mapping[str, Any])


class Linking(Form):
    """A base of Signature."""

    def link(self, callback: S) -> S:
        """Run `callback` after it has succeeded, with its result as first argument. Returns `callback`."""
        return self.append_to_list_option("link", callback)

    def link_error(self, errback: S) -> S:
        """Run `errback` when it has failed: see docs/canvas.md for how it is called. Returns `errback`."""
        return self.append_to_list_option("link_error", errback)

    def on_error(self, errback: Mapping[str, Any]) -> Self:
        """As `link_error`, but returns itself, to go on with `|`."""
        self.link_error(errback)
        return self

    def append_to_list_option(self, option: str, value: S) -> S:
        """Put a signature at the end of an option that is a list of such, unless it is there. Returns it."""
        values = linked(self.options, option)
        if value not in values:
            cast(dict[str, Any], self.options)[option] = [*values, value]
        return value

    def extend_list_option(self, option: str, values: Any) -> None:
        """As `append_to_list_option`, of several, or of one."""
        for value in (values,) if isinstance(values, Mapping) else values:
            self.append_to_list_option(option, value)
