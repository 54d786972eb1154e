"""C.11: how fast programs of other languages submit to one gateway process, and drain no-ops from it.

Each program takes an operation (`unary`: 64 in flight, `batch`, `drain`) and a count, and prints a line of JSON.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figure import ROUNDS, Figure, median
from benchmarks.install import BUILD
from benchmarks.system import PRODUCER_SECONDS, caraway

ROOT = Path(__file__).resolve().parents[1]
OPERATIONS = {
    "unary": ("submits one by one, 64 in flight, AOF always", 20_000),
    "batch": ("submits in batches, four producers, AOF always", 100_000),
    "drain": ("drain of no-ops by a worker, AOF always", 50_000),
}


@dataclass(frozen=True, slots=True)
class Language:
    """`program` is its toolchain's, `build` makes its command, `targets` are what is asked for, by operation."""

    name: str
    program: str
    build: Callable[[], list[str]]
    targets: dict[str, int]


def _go() -> list[str]:
    made = BUILD / "bench-go"
    env = {**os.environ, "GOMODCACHE": str(ROOT / ".build/go-modules"), "GOCACHE": str(ROOT / ".build/go-cache")}
    subprocess.run(["go", "build", "-o", str(made), "./internal/bench"], cwd=ROOT / "clients/go", env=env, check=True)
    return [str(made)]


def _java() -> list[str]:
    classpath = ROOT / ".build/java/classpath"
    subprocess.run(["make", "-s", str(classpath.relative_to(ROOT))], cwd=ROOT, check=True)
    return ["java", "-cp", classpath.read_text(), "io.caraway.bench.Bench"]


def _typescript() -> list[str]:
    subprocess.run(["make", "-s", "setup-typescript"], cwd=ROOT, check=True)
    return ["node", str(ROOT / "clients/typescript/dist/bench/client.js")]


LANGUAGES = (
    Language("Go", "go", _go, {"unary": 4_000, "batch": 40_000, "drain": 20_000}),
    Language("Java", "java", _java, {}),
    Language("TypeScript", "node", _typescript, {}),
)


def rate(command: list[str], operation: str, count: int) -> float:
    """Tasks a second."""
    with caraway() as system:
        done = subprocess.run(
            [*command, operation, str(count)],
            env=system.env, capture_output=True, text=True, timeout=PRODUCER_SECONDS, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"caraway: {command[0]} failed at {operation}:\n{done.stderr[-3000:]}")
        return float(json.loads(done.stdout)["per_second"])


def measure() -> list[Figure]:
    """All languages; Celery has no other."""
    figures = []
    for language in LANGUAGES:
        if shutil.which(language.program) is None:
            print(f"no {language.program} on this machine, so {language.name} is not measured;", end=" ")
        else:
            figures += _figures(language)
    return figures


def _figures(language: Language) -> list[Figure]:
    command = language.build()
    figures = []
    for operation, (what, count) in OPERATIONS.items():
        rates = tuple(rate(command, operation, count) for _ in range(ROUNDS))
        asked = language.targets.get(operation)
        target = f"at least {asked:,}" if asked else ""
        met = median(rates) >= asked if asked else None
        figures.append(Figure("C.11", f"{language.name}: {what}", "tasks/s", rates, (), target, met))
    return figures
