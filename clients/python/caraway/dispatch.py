"""Signal: functions of the user's, called by name when something happens in this process."""

import inspect
import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, TypeVar, overload

__all__ = ["Signal"]

logger = logging.getLogger("caraway.signals")

Receiver = TypeVar("Receiver", bound=Callable[..., Any])
Key = tuple[object, object]

_ANYONE = object()


class _Entry(NamedTuple):
    key: Key
    receiver: Callable[[], Any]
    sender: object  # it is known by its identity, which must not pass to another object


class Signal:
    """Something that happens, and who is called then. Usable from many threads.

    Receivers are called in the order in which they were connected, each with `signal`, `sender` and the signal's own
    arguments by keyword; so each is to take `**kwargs`. What one raises is logged, and keeps nobody else from being
    called.
    """

    in_use: ClassVar[bool] = False
    """Whether any signal was ever connected in this process: hot paths look no further while it is False."""

    def __init__(self, name: str = "", providing_args: set[str] | None = None) -> None:
        """`providing_args` are the names of what receivers are given, for whoever reads them."""
        self.name = name
        self.providing_args = frozenset(providing_args or ())
        # A tuple that is replaced, never changed: `send` needs no lock.
        self.receivers: tuple[_Entry, ...] = ()
        self._lock = threading.RLock()  # an object may be collected, and its receiver with it, while it is held

    def __repr__(self) -> str:
        """As Celery prints it."""
        return f"<Signal: {self.name} providing_args={set(self.providing_args)!r}>"

    @overload
    def connect(
        self, receiver: Receiver, /, *, sender: Any = ..., weak: bool = ..., dispatch_uid: Any = ...
    ) -> Receiver: ...
    @overload
    def connect(
        self, /, *, sender: Any = ..., weak: bool = ..., dispatch_uid: Any = ...
    ) -> Callable[[Receiver], Receiver]: ...
    def connect(
        self,
        receiver: Callable[..., Any] | None = None,
        /,
        *,
        sender: Any = None,
        weak: bool = True,
        dispatch_uid: Any = None,
    ) -> Any:
        """Have `receiver` called; usable as a decorator, with or without arguments.

        `sender` limits it to one sender: a task, or its name. A receiver that is held `weak`ly is forgotten when
        nothing else refers to it. Connecting the same receiver, or the same `dispatch_uid`, for the same sender again
        changes nothing. Raises TypeError for what can't be called so.
        """
        if receiver is None:
            return lambda function: self.connect(function, sender=sender, weak=weak, dispatch_uid=dispatch_uid)
        _check(receiver)
        key = (_identity(receiver) if dispatch_uid is None else dispatch_uid, _sender_key(sender))
        reference = self._weakly(receiver, key) if weak else (lambda: receiver)
        with self._lock:
            if all(entry.key != key for entry in self.receivers):
                self.receivers = (*self.receivers, _Entry(key, reference, sender))
        Signal.in_use = True
        return receiver

    def _weakly(self, receiver: Callable[..., Any], key: Key) -> Callable[[], Any]:
        def forget(_reference: object) -> None:
            self._forget(key)

        if inspect.ismethod(receiver):
            return weakref.WeakMethod(receiver, forget)
        return weakref.ref(receiver, forget)

    def disconnect(
        self, receiver: Callable[..., Any] | None = None, sender: Any = None, dispatch_uid: Any = None
    ) -> bool:
        """Call it no more, as it was connected; True if it was."""
        return self._forget((_identity(receiver) if dispatch_uid is None else dispatch_uid, _sender_key(sender)))

    def _forget(self, key: Key) -> bool:
        with self._lock:
            before = self.receivers
            self.receivers = tuple(entry for entry in before if entry.key != key)
            return len(self.receivers) < len(before)

    def has_listeners(self, sender: Any = None) -> bool:
        """Whether anyone would be called."""
        return bool(self._for(sender))

    def _for(self, sender: Any) -> list[Callable[..., Any]]:
        wanted = _sender_key(sender)
        name = getattr(sender, "name", None)
        live = (entry.receiver() for entry in self.receivers if entry.key[1] in (_ANYONE, wanted, name))
        return [receiver for receiver in live if receiver is not None]

    def send(self, sender: Any, **named: Any) -> list[tuple[Callable[..., Any], Any]]:
        """Call everyone. Returns each receiver with what it returned, or the Exception that it raised."""
        answers: list[tuple[Callable[..., Any], Any]] = []
        if not self.receivers:
            return answers
        for receiver in self._for(sender):
            try:
                answer = receiver(signal=self, sender=sender, **named)
            except Exception as error:
                logger.exception("the receiver %r of the signal %s raised", receiver, self.name)
                answer = error
            answers.append((receiver, answer))
        return answers

    send_robust = send


def _check(receiver: Callable[..., Any]) -> None:
    if not callable(receiver):
        raise TypeError(f"a receiver of signals is to be a function, not {receiver!r}")
    if inspect.iscoroutinefunction(receiver):
        raise TypeError(f"a receiver of signals is called, not awaited: {receiver!r} is not to be async")
    try:
        parameters = inspect.signature(receiver).parameters.values()
    except ValueError:
        return  # a builtin that tells no signature
    if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters):
        raise TypeError(f"a receiver of signals is to take **kwargs: {receiver!r} does not")


def _identity(receiver: Any) -> object:
    if inspect.ismethod(receiver):
        return id(receiver.__self__), id(receiver.__func__)
    return id(receiver)


def _sender_key(sender: Any) -> object:
    """A name stands for itself; what is not given stands for all; anything else is known by its identity."""
    if sender is None:
        return _ANYONE
    return sender if isinstance(sender, str) else id(sender)
