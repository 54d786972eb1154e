"""The table of languages: how each one's program is built and started."""

import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from support.toolchains import require_programs

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Language:
    """A language: `programs` are what its toolchain consists of; `command` starts its program, but for the role.

    `variant` names another way in which its workers run handlers.
    """

    name: str
    programs: tuple[str, ...]
    command: tuple[str, ...]
    cwd: Path = ROOT
    variant: str = ""

    @property
    def column(self) -> str:
        """How the table calls it."""
        return f"{self.name} {self.variant}".rstrip()

    @property
    def is_there(self) -> bool:
        """Whether it is in the suite: from when its language.mk can build its program."""
        made = ROOT / "clients" / self.name / "language.mk"
        return not self.programs or (made.exists() and f"conformance-{self.name}:" in made.read_text())


def _compiled(name: str, *programs: str) -> Language:
    return Language(name, programs, (str(ROOT / ".build/conformance" / name),))


PYTHON = Language("python", (), (sys.executable, "-m", "conformance.program"), ROOT / "tests")
_TYPESCRIPT = _compiled("typescript", "node", "npm")
ALL = (
    PYTHON,
    _compiled("go", "go"),
    _compiled("java", "java", "mvn"),
    _TYPESCRIPT,
)
VARIANTS = (replace(_TYPESCRIPT, command=(*_TYPESCRIPT.command, "--threads"), variant="threads"),)
"""Play workers only, beside those of the language itself."""
THERE = tuple(language for language in ALL if language.is_there)


@cache
def _built(name: str) -> str:
    """Build a language's program, once; gives what was wrong."""
    made = subprocess.run(["make", "-s", f"conformance-{name}"], cwd=ROOT, capture_output=True, text=True, check=False)
    return f"make conformance-{name} failed:\n{made.stdout}\n{made.stderr}" if made.returncode else ""


def prepare(language: Language) -> None:
    """Build its program, where it needs that. Skips where its toolchain is missing; in CI that fails."""
    require_programs(*language.programs)
    if language.programs:
        wrong = _built(language.name)
        assert not wrong, wrong
