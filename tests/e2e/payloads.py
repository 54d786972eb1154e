"""An app whose arguments and results travel in other forms than JSON: `-A e2e.payloads`."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caraway import Caraway
from caraway.serialization import register_type
from e2e.sample import wait_for

app = Caraway(
    "e2e.payloads",
    default_queue="payloads",
    accept_content=["msgpack", "yaml", "pickle"],
    result_serializer="msgpack",
    result_compression="zstd",
)


@dataclass(frozen=True)
class Money:
    """A type of the app's own."""

    cents: int


register_type(Money, "money", lambda money: money.cents, Money)


class Unregistered:
    """A type that only pickle writes."""

    def __init__(self, value: int) -> None:
        self.value = value


@app.task
def echo(value: Any) -> Any:
    return value


@app.task(bind=True, serializer="pickle", compression="gzip", hidden=["what"], max_retries=1)
def grow(self: Any, what: Unregistered, by: int) -> int:
    """Ask for one retry with another object."""
    if self.request.retries == 0:
        raise self.retry(args=(Unregistered(what.value + by), by), countdown=0)
    return what.value


@app.task
def double(money: Money) -> Money:
    return Money(2 * money.cents)


@app.task
def value_of(what: Unregistered) -> int:
    return what.value


@app.task(bind=True)
def report(self: Any, meta: Any, release: str) -> None:
    """Report progress, then run until the file `release` is there."""
    self.update_state(state="HALF", meta=meta)
    wait_for(Path(release))


@app.task(bind=True, max_retries=1, hidden=["password"], typing=False)
def login(self: Any, user: str, password: str, *, how: str = "") -> Any:
    """Show what a careless task would, then end in some way."""
    logging.getLogger(__name__).warning("asked for by %r", self.request)
    print("the app:", self, login.s(user, password))
    if how == "retry":
        raise self.retry(countdown=0.01)
    if how == "fail":
        raise LookupError(f"there is no {user}")
    if how == "unwritable":
        return {1: object()}
    return "in"
