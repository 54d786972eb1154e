"""The Lua scripts: one a transition, each behind the shared prelude."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files

# A full store refuses what adds tasks. All else goes on, or a full store could never be drained.
_REFUSED_WHEN_FULL = frozenset({"submit"})
_ALLOWED_WHEN_FULL = "#!lua flags=allow-oom\n"


@dataclass(frozen=True, slots=True)
class Script:
    """A script's text and the digest under which the store knows it."""

    name: str
    text: str
    digest: str


def _read_all() -> dict[str, Script]:
    folder = files(__package__) / "lua"
    prelude = (folder / "prelude.lua").read_text()
    scripts = {}
    for entry in folder.iterdir():
        name = entry.name.removesuffix(".lua")
        if entry.name.endswith(".lua") and name != "prelude":
            flags = "" if name in _REFUSED_WHEN_FULL else _ALLOWED_WHEN_FULL
            text = f"{flags}{prelude}\n{entry.read_text()}"
            digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
            scripts[name] = Script(name, text, digest)
    return scripts


SCRIPTS = _read_all()
