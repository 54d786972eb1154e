"""Canvases of the suite as those of the library."""

from typing import Any

from caraway import Caraway, chain, chord, group
from conformance.program.specs import call_of


def build(app: Caraway, form: dict[str, Any]) -> Any:
    """Make a canvas, with all that stands in it."""
    ((kind, inner),) = form.items()
    match kind:
        case "task":
            return app.signature(**call_of(inner))
        case "chain":
            return chain(*(build(app, member) for member in inner))
        case "group":
            return group([build(app, member) for member in inner])
        case "chord":
            return chord([build(app, member) for member in inner["header"]], build(app, inner["body"]))
    raise LookupError(f"there is no canvas {kind!r}")
