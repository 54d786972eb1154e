"""Tasks made of functions, and calls of them."""

from datetime import timedelta
from typing import Any, assert_type

from caraway import AsyncResult, Caraway, Task, shared_task
from caraway.signals import task_prerun

app = Caraway("proj")


@app.task
def add(x: int, y: int = 1) -> int:
    return x + y


@app.task(queue="mail", acks_late=False)
def send(address: str, *, copies: list[str] | None = None) -> None: ...


@app.task
async def fetch(url: str) -> bytes:
    return url.encode()


@app.task(queue="slow")
async def crawl(url: str, depth: int = 1) -> list[str]:
    return [url] * depth


@shared_task
def shared(x: int) -> str:
    return str(x)


@shared_task(bind=True, max_retries=3)
async def shared_and_bound(self: Task[..., Any], x: int) -> float:
    return x / 2


assert_type(shared.delay(1).get(), str)
assert_type(shared_and_bound.delay(x=1).get(), float)
assert_type(app.send_task("proj.other", (1,)).get(), Any)
assert_type(add(1, 2), int)
assert_type(add.delay(1, y=2), AsyncResult[int])
assert_type(add.delay(1).get(timeout=1), int)
assert_type(add.apply_async((1, 2), countdown=3, priority=9), AsyncResult[int])
assert_type(add.apply_async((1,), {"y": 2}, expires=timedelta(hours=1)).get(), int)
assert_type(add.AsyncResult("id").get(), int)
assert_type(send.delay("a@b", copies=["c@d"]), AsyncResult[None])
assert_type(fetch.delay("u"), AsyncResult[bytes])
assert_type(fetch.AsyncResult("id").get(), bytes)
assert_type(crawl.delay("u", depth=2).get(), list[str])

anything: Task[..., Any] = add
names: list[str] = [task.name for task in app.tasks.values()]


@app.on_after_configure.connect
def configured(sender: Caraway, **told: Any) -> None: ...


@task_prerun.connect(sender=add)
def begins(task_id: str, **told: Any) -> None: ...


async def use() -> None:
    assert_type(await fetch("u"), bytes)
    assert_type(await fetch.adelay("u"), AsyncResult[bytes])
    assert_type(await (await fetch.adelay("u")).aget(), bytes)
    assert_type(await (await add.adelay(1)).aget(timeout=2.5), int)
    assert_type(await (await crawl.aapply_async(("u",), queue="other")).aget(), list[str])
    await add.adelay("1")  # expect-error: "int"
    await crawl.adelay("u", deep=2)  # expect-error: "deep"


shared.delay("1")  # expect-error: "int"
shared_and_bound.delay()  # expect-error: "x"
app.send_task("proj.other", quue="x")  # expect-error: "quue"
add.delay("1")  # expect-error: "int"
add.delay()  # expect-error: "x"
add.delay(1, 2, 3)  # expect-error: argument
add.delay(1, z=3)  # expect-error: "z"
add("1")  # expect-error: "int"
send.delay("a@b", ["c@d"])  # expect-error: argument
fetch.delay(1)  # expect-error: "str"
add.apply_async((1,), countdwon=3)  # expect-error: "countdwon"
add.apply_async((1,), priority="high")  # expect-error: int
add.apply_async((1,), countdown="soon")  # expect-error: float
wrong: str = add.delay(1).get()  # expect-error: "str"
