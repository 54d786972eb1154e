"""Celery's command line in scripts, units, Procfiles and compositions; and Celery among a project's requirements."""

import re
from collections.abc import Iterator
from typing import Final

from caraway.migration.finding import Finding, Level
from caraway.migration.names import find, of_kind

__all__ = ["check_commands", "check_requirements", "is_requirements", "is_script"]

_SUFFIXES: Final = (".sh", ".bash", ".service", ".yml", ".yaml", ".conf", ".ini", ".cfg", ".mk", ".toml")
_STEMS: Final = ("Procfile", "Dockerfile", "Makefile", "makefile", "justfile", "Containerfile")
_CALLED: Final = re.compile(r"(?:^|(?<=[\s\"'\[=/:]))celery(?=[\s\"',]+[-\w])")
_SPLIT: Final = re.compile(r"[\s\"',\[\]]+")
_REQUIRED: Final = re.compile(
    r"^[\s\"']*(celery|django-celery-beat|django-celery-results)(?=[\s\"'\[=<>~!;,]|$)", re.IGNORECASE
)
_GLOBAL_SHORT: Final = {"-A": "--app", "-b": "--broker", "-C": "--no-color", "-q": "--quiet"}
_ASKING: Final = {"-t": "--timeout", "-d": "--destination", "-j": "--json"}
_SHORT: Final = {
    "celery worker": {
        "-n": "--hostname", "-D": "--detach", "-S": "--statedb", "-l": "--loglevel", "-O": "--optimization",
        "-c": "--concurrency", "-P": "--pool", "-E": "--task-events", "-Q": "--queues", "-X": "--exclude-queues",
        "-I": "--include", "-B": "--beat", "-s": "--schedule-filename", "-f": "--logfile",
    },
    "celery beat": {
        "-s": "--schedule", "-S": "--scheduler", "-l": "--loglevel", "-f": "--logfile", "-n": "--hostname",
    },
    "celery inspect": _ASKING,
    "celery control": _ASKING,
    "celery status": _ASKING,
    "celery purge": {"-f": "--force", "-Q": "--queues", "-X": "--exclude-queues"},
    "celery call": {"-a": "--args", "-k": "--kwargs"},
    "celery result": {"-t": "--task"},
    "celery shell": {"-I": "--ipython", "-B": "--bpython", "-T": "--without-tasks"},
    "celery events": {
        "-d": "--detach", "-c": "--camera", "-F": "--frequency", "-r": "--maxrate", "-l": "--loglevel",
        "-f": "--logfile",
    },
    "celery migrate": {
        "-n": "--limit", "-t": "--timeout", "-a": "--ack-messages", "-T": "--tasks", "-Q": "--queues",
        "-F": "--forever",
    },
}  # fmt: skip


def is_script(name: str) -> bool:
    """Whether a file may hold commands, by its name."""
    return name.startswith(_STEMS) or name.endswith(_SUFFIXES)


def is_requirements(name: str) -> bool:
    """Whether a file may name the packages that a project needs."""
    return (name.startswith("requirements") and name.endswith((".txt", ".in"))) or name in ("pyproject.toml", "Pipfile")


def check_requirements(path: str, text: str) -> Iterator[Finding]:
    """Find Celery among requirements."""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _REQUIRED.match(line):
            column = found.start(1) + 1
            yield Finding(
                path, number, column, Level.MUST, found[1], "the package here is caraway, with extras such as [worker]"
            )


def check_commands(path: str, text: str) -> Iterator[Finding]:
    """Find Celery's commands, and their options that are not the same here. A command may go on after a backslash."""
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        first, line = number, lines[number]
        while line.endswith("\\") and number + 1 < len(lines):
            number += 1
            line = line[:-1] + " " + lines[number]
        number += 1
        if not line.lstrip().startswith("#"):
            for found in _CALLED.finditer(line):
                place = (path, first + 1, found.start() + 1)
                yield from _check_command(place, [word for word in _SPLIT.split(line[found.end() :]) if word])


def _check_command(place: tuple[str, int, int], words: list[str]) -> Iterator[Finding]:
    command, options = _parse(words)
    if command == "celery" and not any(find("command", f"celery {option}") for option in options):
        return  # prose, or another program's argument
    known = find("command", command)
    if known is None or known.level is None:
        yield Finding(*place, Level.MUST, command, f"caraway{command.removeprefix('celery')}")
    else:
        yield Finding(*place, known.level, command, known.advice)
    for option in sorted(options - {"--app"}):
        row = find("command", f"{command} {option}") or find("command", f"celery {option}")
        if row is not None and row.level:
            yield Finding(*place, row.level, f"{command} {option}", row.advice)


def _parse(words: list[str]) -> tuple[str, set[str]]:
    """Give the command with its subcommands, and its options by their long names."""
    names = {row.name for row in of_kind("command") if " -" not in row.name}
    names |= {row.name.partition(" -")[0] for row in of_kind("command")}
    command, options = "celery", set()
    for word in words:
        if word in ("&&", "||", "|", ";", ">", ">>", "&"):
            break
        if word.startswith("-"):
            options.add(word.partition("=")[0])
        elif f"{command} {word}" in names:
            command = f"{command} {word}"
    base = " ".join(command.split()[:2])
    short = {**_GLOBAL_SHORT, **_SHORT.get(base, {})}
    return command, {short.get(option[:2], option) if option[:2] != "--" else option for option in options}
