"""pydantic=True: models among the arguments, and as result."""

import builtins
import sys
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError, ValidationInfo, field_validator

from caraway import Caraway
from caraway.exceptions import ImproperlyConfigured
from caraway.payload import decode_arguments
from caraway.request import Context, pop, push
from support.played import PlayedGateway


class Order(BaseModel):
    item: str
    count: int
    due: date | None = None


class Receipt(BaseModel):
    text: str
    due: date | None = None


def in_worker(task: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a task as a worker does."""
    token = push(Context(id="id", task=task.name))
    try:
        return task(*args, **kwargs)
    finally:
        pop(token)


def test_the_error_of_a_hidden_argument_shows_no_value() -> None:
    app = Caraway("proj")

    class Login(BaseModel):
        user: str
        pin: int

        @field_validator("user")
        @classmethod
        def known(cls, user: str) -> str:
            raise ValueError("there is no such {user}")

    @app.task(pydantic=True, hidden=["login"])
    def enter(login: Login, order: Order) -> None: ...

    with pytest.raises(ValidationError) as raised:
        in_worker(enter, {"user": "bob", "pin": "hunter2"}, {"item": "nail", "count": 1})
    said = f"{raised.value} {raised.value!r} {raised.value.errors()} {raised.value.__cause__}"
    assert "there is no such {user}" in said
    assert "Input should be a valid integer" in said
    assert "bob" not in said
    assert "hunter2" not in said

    @app.task(pydantic=True, hidden=["login"])
    def buy(order: Order, login: str) -> None: ...

    with pytest.raises(ValidationError, match="input_value='many'"):
        in_worker(buy, {"item": "nail", "count": "many"}, "hunter2")


def test_models_are_made_of_dicts_and_a_result_is_dumped() -> None:
    app = Caraway("proj")

    @app.task(pydantic=True, bind=True)
    def buy(self: Any, order: Order, times: int, gift: Order | None = None, *, also: Order | None = None) -> Receipt:
        assert isinstance(order, Order)
        assert gift is None or isinstance(gift, Order)
        assert also is None or isinstance(also, Order)
        return Receipt(text=f"{times * order.count} {order.item}", due=order.due)

    order = {"item": "nails", "count": "3", "due": "2030-01-02"}
    assert in_worker(buy, order, 2) == {"text": "6 nails", "due": "2030-01-02"}
    assert in_worker(buy, times=1, order=order, gift=order, also=order)["text"] == "3 nails"
    # Called as a function it is one: models go in and come out.
    assert buy(Order(item="nails", count=1), 2) == Receipt(text="2 nails")
    with pytest.raises(ValidationError, match="count"):
        in_worker(buy, {"item": "nails"}, 1)
    with pytest.raises(ValidationError):
        in_worker(buy, None, 1)
    with pytest.raises(TypeError, match="times"):
        in_worker(buy, order)


async def test_coroutines_have_models_too() -> None:
    app = Caraway("proj")

    @app.task(pydantic=True, pydantic_dump_kwargs={"exclude_none": True})
    async def buy(order: Order) -> Receipt:
        return Receipt(text=order.item)

    assert buy.is_async
    token = push(Context(id="id", task=buy.name))
    try:
        assert await buy({"item": "nails", "count": 1}) == {"text": "nails"}  # type: ignore[arg-type]
    finally:
        pop(token)


def test_strictness_and_context() -> None:
    app = Caraway("proj")
    seen: list[Any] = []

    class Watched(BaseModel):
        count: int

        @field_validator("count", mode="before")
        @classmethod
        def look(cls, value: Any, info: ValidationInfo) -> Any:
            seen.append(info.context)
            return value

    @app.task(name="take", pydantic=True, pydantic_strict=True, pydantic_context={"tenant": "blue"})
    def take(watched: Watched) -> None: ...

    # The class is local, so get_type_hints() can't find it: pydantic needs names that the module knows.
    take.function.__annotations__["watched"] = Watched
    in_worker(take, {"count": 1})
    assert seen == [{"caraway_app": app, "caraway_task_name": "take", "tenant": "blue"}]
    with pytest.raises(ValidationError, match="valid integer"):
        in_worker(take, {"count": "1"})


def test_models_may_be_given_to_the_call(played: PlayedGateway, app: Caraway) -> None:
    @app.task(pydantic=True)
    def buy(order: Order, gift: Order | None = None) -> None: ...

    order = Order(item="nails", count=1, due=date(2030, 1, 2))
    dumped = {"item": "nails", "count": 1, "due": "2030-01-02"}
    ways = (
        lambda: buy.delay(order, gift=order),
        lambda: buy.apply_async((order,), {"gift": order}),
        lambda: buy.s(order, gift=order).apply_async(),
    )
    for submit in ways:
        assert decode_arguments(played.tasks[submit().id].spec) == ((dumped,), {"gift": dumped})


def test_annotations_that_no_one_can_find_are_said() -> None:
    app = Caraway("proj")

    @app.task(name="lost", pydantic=True)
    def lost(order: "Nowhere") -> None: ...  # type: ignore[name-defined] # noqa: F821

    with pytest.raises(ImproperlyConfigured, match="the annotations of 'lost' at run time: name 'Nowhere'"):
        in_worker(lost, {})


def test_without_pydantic_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "pydantic":
            raise ModuleNotFoundError("No module named 'pydantic'", name=name)
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "caraway.pydantic_models", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImproperlyConfigured, match=r"pip install 'caraway\[pydantic\]'"):
        Caraway("proj").task(pydantic=True)(lambda: None)
