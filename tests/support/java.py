"""Java programs of the checkout, for tests: built once, started as processes."""

import fcntl
import subprocess
from pathlib import Path

from support.processes import Running
from support.toolchains import require_programs

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "clients/java"


def build() -> str:
    """Build what is not up to date, and give the class path. Skips without Java."""
    require_programs("java", "mvn")
    folder = ROOT / ".build"
    folder.mkdir(exist_ok=True)
    with (folder / "java.lock").open("w") as lock:  # the processes of one test run share what is built
        fcntl.flock(lock, fcntl.LOCK_EX)
        run(["make", "-s", ".build/java/classpath"])
    return (folder / "java/classpath").read_text()


def run(command: list[str], **env: str) -> str:
    """Run to the end, which is to be a good one; gives the output."""
    running = Running(command, cwd=ROOT, env=env)
    code = running.process.wait(timeout=540)
    running.stop()
    assert code == 0, f"{' '.join(command)[:200]} ended with {code}:\n{running.output}"
    return running.output


def javac(folder: Path, classpath: str, *sources: Path) -> None:
    """Compile sources into a folder."""
    made = subprocess.run(
        ["javac", "-d", str(folder), "-cp", classpath, *map(str, sources)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr


class JavaProgram(Running):
    """A class with a main method.

    Args:
        classpath: what build() gave, and more.
        target: the gateway's address, as CARAWAY_TARGET.
        name: the class's full name.
        args: of main.
    """

    def __init__(self, classpath: str, target: str, name: str, *args: str) -> None:
        # One collector thread and no second compiler: many of these share two cores.
        flags = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        super().__init__(["java", *flags, "-cp", classpath, name, *args], env={"CARAWAY_TARGET": target})
