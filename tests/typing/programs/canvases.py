"""Signatures, and what is made of them."""

from typing import Any, assert_type

from caraway import AsyncResult, Caraway, Signature, chain, chord, group
from caraway.group_result import GroupResult

app = Caraway("proj")


@app.task
def add(x: int, y: int) -> int:
    return x + y


@app.task
def show(value: object) -> str:
    return str(value)


@app.task
async def total(values: list[int]) -> int:
    return sum(values)


assert_type(add.s(1), Signature[AsyncResult[int]])
assert_type(add.s(1, 2).delay(), AsyncResult[int])
assert_type(add.s(1).apply_async((2,), countdown=1).get(), int)
assert_type(add.si(1, 2).set(queue="other").delay().get(), int)
assert_type(add.signature((1, 2), priority=3).delay().get(), int)
assert_type(add.s(1).clone((2,)).delay().get(), int)

assert_type((add.s(1, 2) | show.s()).delay().get(), str)
assert_type((add.s(1, 2) | add.s(3) | show.s()).apply_async(), AsyncResult[str])
assert_type(chain(add.s(1, 2), show.s()).delay().get(), str)
assert_type(chain(add.s(1, 2), add.s(3), add.s(4), show.s())().get(), str)
assert_type(chain([add.s(1, 2), add.s(3)]).delay(), Any)

header = group(add.s(n, n) for n in range(3))
assert_type(header.delay(), GroupResult)
assert_type(header(), GroupResult)
assert_type(header.delay().get(), list[Any])
assert_type((add.s(1, 2) | group(show.s(), show.s())).delay(), GroupResult)
assert_type((header | total.s()).delay().get(), int)
assert_type(chord(header)(total.s()).get(), int)
assert_type(chord(header, total.s()).delay().get(), int)

any_signature: Signature = add.s(1)
many: list[Signature] = [add.s(1), header, chain(add.s(1, 2), show.s())]


async def use() -> None:
    assert_type(await (await add.s(1, 2).adelay()).aget(), int)
    assert_type(await (await (add.s(1, 2) | show.s()).aapply_async()).aget(), str)
    assert_type(await header.adelay(), GroupResult)


add.si("1", 2)  # expect-error: "int"
add.si(1)  # expect-error: "y"
add.s(1).set(que="other")  # expect-error: "que"
wrong: AsyncResult[str] = (show.s(1) | add.s(2)).delay()  # expect-error: "AsyncResult[int]" "AsyncResult[str]"
