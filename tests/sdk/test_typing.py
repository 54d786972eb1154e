"""The types that a user's checker sees: what fits passes mypy strictly, what does not is an error."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
from typing import Any, assert_type
from caraway import AsyncResult, Caraway, Task

app = Caraway("proj")

@app.task
def add(x: int, y: int = 1) -> int:
    return x + y

@app.task(bind=True, max_retries=5)
def bound(self: Task[..., Any], name: str) -> list[str]:
    raise self.retry((name,), countdown=1, queue="mail", expires=60)

class Count(Task[[str], int]):
    def run(self, word: str) -> int:
        return len(word)

count = app.register_task(Count())

@app.task(queue="mail")
async def fetch(url: str) -> bytes:
    return b""

assert_type(add(1, 2), int)
assert_type(add.delay(1, y=2), AsyncResult[int])
assert_type(add.delay(1).get(timeout=1), int)
assert_type(bound.delay("x"), AsyncResult[list[str]])
assert_type(fetch.delay("u"), AsyncResult[bytes])
assert_type(add.apply_async((1, 2), countdown=3, priority=9).get(), int)
assert_type(count, Count)
assert_type(count.delay("word").get(), int)
assert_type(add.AsyncResult("id").get(), int)

async def use() -> None:
    assert_type(await fetch("u"), bytes)
    assert_type(await (await fetch.adelay("u")).aget(), bytes)
    assert_type(await (await add.adelay(1)).aget(), int)
    assert_type(await (await fetch.aapply_async(("u",))).aget(), bytes)

add.delay("1")  # error: arg-type
add.delay()  # error: call-arg
bound.delay(1)  # error: arg-type
fetch.delay(1)  # error: arg-type
add.apply_async((1,), countdwon=3)  # error: call-arg
count.delay(1)  # error: arg-type
bound.retry(que="mail")  # error: call-arg
add.apply_async((1,), priority="high")  # error: arg-type
"""


def test_calls_are_typed(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "", "--strict", "--no-error-summary", str(program)],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        cwd=root,
        env={"MYPYPATH": str(root / "clients" / "python"), "MYPY_CACHE_DIR": str(root / ".mypy_cache")},
    )
    expected = {
        (number, line.partition("# error: ")[2])
        for number, line in enumerate(PROGRAM.splitlines(), start=1)
        if "# error: " in line
    }
    lines = [line for line in ended.stdout.splitlines() if "program.py" in line and ": error:" in line]
    found = {(int(line.split(":")[1]), line.rpartition("[")[2].rstrip("]")) for line in lines}
    # An overloaded call that fits none of its forms is told as call-overload, whatever is wrong with it.
    assert {number for number, _ in found} == {number for number, _ in expected}, ended.stdout + ended.stderr
