"""Tasks that are handed to their functions, bases of tasks, and tasks that are classes."""

from typing import Any, assert_type

from caraway import AsyncResult, Caraway, Task


class Connected(Task[..., Any]):
    """A base, with what its tasks share."""

    _opened: list[str] | None = None

    @property
    def opened(self) -> list[str]:
        self._opened = self._opened or []
        return self._opened

    def on_failure(self, exc: BaseException, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        self.opened.append(task_id)


app = Caraway("proj", task_cls=Connected)


@app.task(bind=True, max_retries=5)
def bound(self: Task[..., Any], name: str) -> list[str]:
    raise self.retry((name,), countdown=1, queue="mail", expires=60)


@app.task(bind=True, base=Connected)
def connected(self: Connected, rows: int) -> str:
    assert_type(self.request.id, str)
    assert_type(self.request.retries, int)
    return self.opened[rows]


@app.task(bind=True)
async def watched(self: Task[..., Any], pages: int = 1) -> dict[str, int]:
    self.update_state(state="READING", meta={"page": 1})
    return {"pages": pages}


@app.task(base=Connected)
def plain(x: float) -> float:
    return x


class Count(Task[[str], int]):
    """A class is a task of its own."""

    def run(self, word: str) -> int:
        return len(word)


count = app.register_task(Count())
again = app.register_task(Count)

assert_type(bound.delay("x"), AsyncResult[list[str]])
assert_type(connected.delay(1).get(), str)
assert_type(watched.delay(pages=2).get(), dict[str, int])
assert_type(plain.delay(1.5).get(), float)
assert_type(count, Count)
assert_type(again, Count)
assert_type(count.delay("word").get(), int)
assert_type(count("word"), int)

bound.delay(1)  # expect-error: "str"
bound.delay(app, "x")  # expect-error: argument
connected.delay("1")  # expect-error: "int"
watched.delay("two")  # expect-error: "int"
count.delay(1)  # expect-error: "str"
bound.retry(que="mail")  # expect-error: "que"
