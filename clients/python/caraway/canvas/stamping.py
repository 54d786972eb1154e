"""Stamps: marks that are put on all tasks of a canvas, to find them by."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, cast

from caraway.canvas.chain import chain
from caraway.canvas.chord import chord
from caraway.canvas.group import group
from caraway.canvas.parts import linked
from caraway.canvas.signature import Signature, maybe_signature

__all__ = ["StampingVisitor", "stamp"]


class StampingVisitor(ABC):
    """Goes through a canvas and says what each task of it is stamped with.

    What its methods return is a dict of stamps. Where it has the key "stamped_headers", only the names that are listed
    there are stamps, and the rest are headers, which are text.
    """

    @abstractmethod
    def on_signature(self, sig: Signature, **headers: Any) -> Mapping[str, Any]:
        """Stamp a task, or a chain, group or chord as a whole."""

    def on_group_start(self, group: Signature, **headers: Any) -> Mapping[str, Any] | None:
        """Stamp all tasks of a group, before they are visited."""
        return None

    def on_group_end(self, group: Signature, **headers: Any) -> None:
        """Be told that a group's tasks have been visited."""
        return

    def on_chain_start(self, chain: Signature, **headers: Any) -> Mapping[str, Any] | None:
        """Stamp all tasks of a chain, before they are visited."""
        return None

    def on_chain_end(self, chain: Signature, **headers: Any) -> None:
        """Be told that a chain's tasks have been visited."""
        return

    def on_chord_header_start(self, sig: Signature, **header: Any) -> Mapping[str, Any] | None:
        """Stamp all tasks of a chord's header, before they are visited."""
        return self.on_group_start(cast(chord, sig).header, **header)

    def on_chord_header_end(self, sig: Signature, **header: Any) -> None:
        """Be told that a chord's header has been visited."""
        self.on_group_end(cast(chord, sig).header, **header)

    def on_chord_body(self, sig: Signature, **header: Any) -> Mapping[str, Any] | None:
        """Stamp a chord's body."""
        return None

    def on_callback(self, callback: Signature, **header: Any) -> Mapping[str, Any] | None:
        """Stamp a callback."""
        return None

    def on_errback(self, errback: Signature, **header: Any) -> Mapping[str, Any] | None:
        """Stamp an errback."""
        return None


def stamp(canvas: Signature, visitor: StampingVisitor | None, append_stamps: bool, headers: Mapping[str, Any]) -> None:
    """Stamp all tasks of a canvas, and what is linked to them, in place."""
    _Stamper(visitor, append_stamps).visit(canvas, dict(headers))


class _Stamper:
    def __init__(self, visitor: StampingVisitor | None, append: bool) -> None:
        self._visitor = visitor
        self._append = append

    def visit(self, canvas: Signature, stamps: dict[str, Any]) -> None:
        if isinstance(canvas, chain):
            stamps = self._asked("on_chain_start", canvas, stamps)
            for step in canvas.tasks:
                self.visit(step, stamps)
            self._asked("on_chain_end", canvas, stamps)
        elif isinstance(canvas, group):
            stamps = self._asked("on_group_start", canvas, stamps)
            for member in canvas.tasks:
                self.visit(member, stamps)
            self._asked("on_group_end", canvas, stamps)
        elif isinstance(canvas, chord):
            inner = self._asked("on_chord_header_start", canvas, stamps)
            for member in canvas.tasks:
                self.visit(member, inner)
            self._asked("on_chord_header_end", canvas, inner)
            self.visit(canvas.body, self._asked("on_chord_body", canvas, stamps))
        else:
            said = self._said("on_signature", canvas, stamps)
            names = said.get("stamped_headers", said)
            stamps = {**stamps, **_stamps_in(said)}
            self._put(canvas, stamps, {name: value for name, value in said.items() if name not in names})
        self._follow(canvas, stamps)

    def _follow(self, canvas: Signature, stamps: dict[str, Any]) -> None:
        options = cast(dict[str, Any], canvas.options)
        for option, method in (("link", "on_callback"), ("link_error", "on_errback")):
            if option not in options:
                continue
            options[option] = [maybe_signature(each, canvas._app) for each in linked(options, option)]
            for follower in options[option]:
                self.visit(follower, self._asked(method, follower, stamps))

    def _asked(self, method: str, canvas: Signature, stamps: dict[str, Any]) -> dict[str, Any]:
        """Give the stamps with those that the visitor adds to them."""
        return {**stamps, **_stamps_in(self._said(method, canvas, stamps))}

    def _said(self, method: str, canvas: Signature, stamps: dict[str, Any]) -> Mapping[str, Any]:
        return {} if self._visitor is None else getattr(self._visitor, method)(canvas, **stamps) or {}

    def _put(self, canvas: Signature, stamps: dict[str, Any], headers: dict[str, Any]) -> None:
        options = cast(dict[str, Any], canvas.options)
        known = dict(options.get("stamps") or {})
        for name, value in stamps.items():
            known[name] = [*_listed(known.get(name)), *_listed(value)] if self._append else value
        options["stamps"] = known
        headers.pop("stamped_headers", None)
        if headers:
            options["headers"] = {**(options.get("headers") or {}), **headers}


def _stamps_in(said: Mapping[str, Any]) -> dict[str, Any]:
    names = said.get("stamped_headers", said)
    return {name: said[name] for name in names if name in said and name != "stamped_headers"}


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple | set) else [value]


Signature.stamper = staticmethod(stamp)
