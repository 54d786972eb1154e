"""The Lua scripts: one a transition, each behind what all share."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files

# A full store refuses what adds tasks. All else goes on, or a full store could never be drained.
_REFUSED_WHEN_FULL = frozenset({"submit", "workflow_submit", "workflow_append"})
_ALLOWED_WHEN_FULL = "#!lua flags=allow-oom\n"

_SHARED = ("prelude", "moves")
# What stands before a script, beside that.
_PARTS = {
    "revoke": ("revoking",),
    "relay": ("revoking", "graph", "making"),
    **{f"workflow_{name}": ("graph", "making") for name in ("submit", "append")},
    **{f"workflow_{name}": ("graph",) for name in ("seal", "cancel", "retry", "prune")},
    "continue": ("graph",),
}
_NO_SCRIPTS = frozenset({*_SHARED, "revoking", "graph", "making"})


@dataclass(frozen=True, slots=True)
class Script:
    """A script's text and the digest under which the store knows it."""

    name: str
    text: str
    digest: str


def _read_all() -> dict[str, Script]:
    folder = files(__package__) / "lua"
    scripts = {}
    for entry in folder.iterdir():
        name = entry.name.removesuffix(".lua")
        if entry.name.endswith(".lua") and name not in _NO_SCRIPTS:
            parts = [(folder / f"{part}.lua").read_text() for part in (*_SHARED, *_PARTS.get(name, ()), name)]
            text = ("" if name in _REFUSED_WHEN_FULL else _ALLOWED_WHEN_FULL) + "\n".join(parts)
            digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
            scripts[name] = Script(name, text, digest)
    return scripts


SCRIPTS = _read_all()
