"""The Lua scripts: one a transition, each behind the shared prelude."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files


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
            text = f"{prelude}\n{entry.read_text()}"
            digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
            scripts[name] = Script(name, text, digest)
    return scripts


SCRIPTS = _read_all()
