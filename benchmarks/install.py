"""Puts each system under .build/bench, where its program is looked for: by pip, npm or go, from what is pinned here."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
BUILD = FOLDER.parent / ".build"
PROGRAMS = FOLDER / "programs"
INSTALL_SECONDS = 600.0
LAST_WORDS = 300


class NotInstalled(Exception):
    """The system can't be had here; the message says why."""


def python_environment(name: str) -> Path:
    """Make a virtual environment from requirements/NAME.txt; gives its folder of programs. Raises NotInstalled."""
    target, pins = BUILD / "bench" / name, FOLDER / "requirements" / f"{name}.txt"
    if _is_stale(target, [pins]):
        _run([sys.executable, "-m", "venv", str(target)])
        _run([str(target / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", "-r", str(pins)])
        _stamp(target, [pins])
    return target / "bin"


def node_folder(name: str) -> Path:
    """Copy programs/NAME and install its packages beside it; gives the copy's folder. Raises NotInstalled."""
    target, sources = BUILD / "bench" / name, _sources(name)
    _require("node", "npm")
    if _is_stale(target, sources):
        shutil.copytree(PROGRAMS / name, target, dirs_exist_ok=True)
        cache = {"npm_config_cache": str(BUILD / "npm-cache")}
        _run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], target, cache)
        _stamp(target, sources)
    return target


def go_program(name: str) -> Path:
    """Build programs/NAME; gives the program. Raises NotInstalled."""
    target, sources = BUILD / "bench" / name, _sources(name)
    _require("go")
    if _is_stale(target, sources):
        caches = {"GOMODCACHE": str(BUILD / "go-modules"), "GOCACHE": str(BUILD / "go-cache")}
        _run(["go", "build", "-buildvcs=false", "-modcacherw", "-o", str(target / name), "."], PROGRAMS / name, caches)
        _stamp(target, sources)
    return target / name


def _sources(name: str) -> list[Path]:
    return sorted((PROGRAMS / name).iterdir())


def _text(sources: Sequence[Path]) -> str:
    return "\n".join(source.read_text() for source in sources)


def _is_stale(target: Path, sources: Sequence[Path]) -> bool:
    stamp = target / ".ready"
    if stamp.exists() and stamp.read_text() == _text(sources):
        return False
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    return True


def _stamp(target: Path, sources: Sequence[Path]) -> None:
    (target / ".ready").write_text(_text(sources))


def _require(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            raise NotInstalled(f"there is no {program} on this machine")


def _run(command: list[str], folder: Path = FOLDER, env: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, env={**os.environ, **(env or {})},
            capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"{' '.join(command[:2])} took longer than {INSTALL_SECONDS:.0f} s") from error
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        raise NotInstalled(f"{Path(command[0]).name} failed: {said[-LAST_WORDS:]}")
