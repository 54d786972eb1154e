"""A project: the files under a path, what is found in them, and their rewriting."""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from caraway.migration import calls, settings
from caraway.migration.attributes import check_attributes
from caraway.migration.commands import check_commands, check_requirements, is_requirements, is_script
from caraway.migration.finding import Finding, Level
from caraway.migration.imports import check_imports, import_edits
from caraway.migration.source import Edit, Source

__all__ = ["Project"]

_SKIPPED: Final = frozenset({"__pycache__", "node_modules", "site-packages", "venv", "env", "build", "dist"})
_LONGEST: Final = 2_000_000


@dataclass(slots=True)
class Project:
    """What was read. `unreadable` are findings about files that are no Python."""

    root: Path
    sources: dict[Path, Source] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)
    unreadable: list[Finding] = field(default_factory=list)

    @classmethod
    def read(cls, root: Path) -> "Project":
        """Read a folder, or one file. Nothing of it is imported or run."""
        project = cls(root)
        for path in sorted(_files(root)):
            try:
                text = path.read_bytes().decode("utf-8")
                if path.suffix == ".py":
                    project.sources[path] = Source(str(path), text)
                elif is_script(path.name) or is_requirements(path.name):
                    project.texts[path] = text
            except (SyntaxError, ValueError) as error:
                if path.suffix == ".py":
                    line = getattr(error, "lineno", None) or 1
                    why = f"it can't be read, and was not checked: {error}"
                    project.unreadable.append(Finding(str(path), line, 1, Level.MUST, path.name, why))
        return project

    def findings(self) -> list[Finding]:
        """All, in the order of files and lines."""
        return sorted({*self.unreadable, *self._found()})

    def _found(self) -> Iterator[Finding]:
        prefixes = self._prefixes()
        late = any(settings.is_late(source, prefixes[path]) for path, source in self.sources.items())
        apps = {name for source in self.sources.values() for name in calls.names_of_apps(source)}
        for path, source in self.sources.items():
            yield from check_imports(source)
            yield from check_attributes(source, apps)
            yield from calls.check_calls(source, apps, late)
            yield from settings.check_settings(source, prefixes[path])
        for path, text in self.texts.items():
            if is_script(path.name):
                yield from check_commands(str(path), text)
            if is_requirements(path.name):
                yield from check_requirements(str(path), text)

    def _prefixes(self) -> Mapping[Path, set[str]]:
        """The prefixes of settings in each file that an app is configured from."""
        found: dict[Path, set[str]] = defaultdict(set)
        configured = {each for source in self.sources.values() for each in settings.configured_by(source)}
        namespaces = {prefix for module, prefix in configured if module == "django.conf"}
        for path in self.sources:
            if path.name == "celeryconfig.py":
                found[path].add("")
            for module, prefix in configured:
                if module != "django.conf" and _is_module(path, module):
                    found[path] |= namespaces if prefix == "CELERY_" and namespaces else {prefix}
            if namespaces and (path.stem == "settings" or path.parent.name == "settings"):
                found[path] |= namespaces
        return found

    # Rewriting

    def rewritten(self, target: str | None) -> dict[Path, str]:
        """The texts of files that change: imports, and brokers' URLs that become `target`, where one is named."""
        changed = {}
        prefixes = self._prefixes()
        for path, source in self.sources.items():
            edits = list(import_edits(source))
            if target is not None:
                urls = [*calls.broker_arguments(source), *settings.url_settings(source, prefixes[path])]
                edits += [Edit(*source.span(url), f'"{target}"') for url in urls if isinstance(url.value, str)]
            if edits:
                changed[path] = source.edited(edits)
        return changed


def _is_module(path: Path, module: str) -> bool:
    parts = tuple(module.split("."))
    stem = path.parent.parts if path.name == "__init__.py" else (*path.parent.parts, path.stem)
    return stem[-len(parts) :] == parts


def _files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for folder, folders, files in os.walk(root):
        folders[:] = [
            name
            for name in folders
            if name not in _SKIPPED and not name.startswith(".") and not (Path(folder) / name / "pyvenv.cfg").exists()
        ]
        for name in files:
            path = Path(folder) / name
            if path.is_file() and path.stat().st_size <= _LONGEST:
                yield path
