"""Toolchains of other languages, which a machine may lack."""

import shutil

import pytest

_PACKAGES = {
    "go": "golang-go", "java": "openjdk-17-jdk-headless", "mvn": "maven", "node": "nodejs", "npm": "npm",
    "cargo": "cargo-web", "curl": "curl", "protoc": "protobuf-compiler",
}  # fmt: skip


def require_programs(*programs: str) -> None:
    """Skips, in one line that names it, where a program is missing; in CI that is a failure (see conftest)."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        packages = " ".join(_PACKAGES[program] for program in missing)
        pytest.skip(f"no {' and no '.join(missing)} on this machine; on Debian: apt install {packages}")
