"""Signal: who is called, with what, and what becomes of their errors."""

import functools
import gc
import logging
from typing import Any

import pytest

from caraway.dispatch import Signal


class Sender:
    name = "proj.add"


@pytest.fixture
def signal() -> Signal:
    return Signal("sent", {"value"})


def test_receivers_are_called_in_order_with_signal_sender_and_arguments(signal: Signal) -> None:
    seen: list[Any] = []

    @signal.connect
    def first(sender: Any, value: int, **kwargs: Any) -> str:
        seen.append(("first", sender, value, kwargs))
        return "one"

    @signal.connect()
    def second(**kwargs: Any) -> str:
        seen.append(("second", kwargs["sender"]))
        return "two"

    assert signal.send("me", value=3) == [(first, "one"), (second, "two")]
    assert seen == [("first", "me", 3, {"signal": signal}), ("second", "me")]


def test_a_receiver_may_be_limited_to_one_sender_or_its_name(signal: Signal) -> None:
    one, other, seen = Sender(), Sender(), []

    @signal.connect(sender=one)
    def of_one(**kwargs: Any) -> None:
        seen.append("one")

    @signal.connect(sender="proj.add")
    def by_name(**kwargs: Any) -> None:
        seen.append("name")

    signal.send(other)
    signal.send(one)
    signal.send("proj.add")
    signal.send("another")
    assert seen == ["name", "one", "name", "name"]
    assert (signal.has_listeners(one), signal.has_listeners("another")) == (True, False)


def test_what_a_receiver_raises_is_logged_and_keeps_nobody_from_being_called(
    signal: Signal, caplog: pytest.LogCaptureFixture
) -> None:
    @signal.connect
    def broken(**kwargs: Any) -> None:
        raise ValueError("no")

    @signal.connect
    def fine(**kwargs: Any) -> int:
        return 7

    with caplog.at_level(logging.ERROR):
        (first, error), second = signal.send(None)
    assert (first, second) == (broken, (fine, 7))
    assert isinstance(error, ValueError)
    assert "the signal sent raised" in caplog.text


def test_connecting_twice_calls_once_and_disconnecting_ends_it(signal: Signal) -> None:
    def receiver(**kwargs: Any) -> int:
        return 1

    signal.connect(receiver)
    signal.connect(receiver)
    assert signal.send(None) == [(receiver, 1)]
    assert signal.disconnect(receiver) is True
    assert signal.disconnect(receiver) is False
    assert signal.send(None) == []


def test_a_dispatch_uid_stands_for_the_receiver(signal: Signal) -> None:
    signal.connect(lambda **kwargs: 1, weak=False, dispatch_uid="it")
    signal.connect(lambda **kwargs: 2, weak=False, dispatch_uid="it")
    assert [answer for _, answer in signal.send(None)] == [1]
    assert signal.disconnect(dispatch_uid="it") is True
    assert not signal.has_listeners()


def test_receivers_are_held_weakly_unless_said_otherwise(signal: Signal) -> None:
    class Owner:
        def receive(self, **kwargs: Any) -> str:
            return "bound"

    def connect() -> None:
        def gone(**kwargs: Any) -> str:
            return "gone"

        def kept(**kwargs: Any) -> str:
            return "kept"

        signal.connect(gone)
        signal.connect(kept, weak=False)

    owner = Owner()
    signal.connect(owner.receive)
    connect()
    gc.collect()
    assert [answer for _, answer in signal.send(None)] == ["bound", "kept"]
    del owner
    gc.collect()
    assert [answer for _, answer in signal.send(None)] == ["kept"]
    assert len(signal.receivers) == 1


def test_a_sender_that_is_gone_is_mistaken_for_no_other(signal: Signal) -> None:
    signal.connect(lambda **kwargs: 1, sender=Sender(), weak=False)
    gc.collect()
    assert [signal.send(Sender()) for _ in range(50)] == [[]] * 50


def test_what_cannot_be_called_is_refused(signal: Signal) -> None:
    async def awaited(**kwargs: Any) -> None: ...

    for receiver, why in ((3, "a function"), (lambda sender: None, "kwargs"), (awaited, "not awaited")):
        with pytest.raises(TypeError, match=why):
            signal.connect(receiver)  # type: ignore[type-var]
    signal.connect(functools.partial(lambda one, **kwargs: one, 1), weak=False)
    assert [answer for _, answer in signal.send(None)] == [1]
