"""Proxy: stands for an object that is looked up at each use, such as the app that is meant just then.

It behaves as what `find` gives; what that raises, each use raises. `isinstance` sees through it, `is` does not:
`_get_current_object()` gives the object itself.
"""

from collections.abc import Callable
from typing import Any

from caraway.exceptions import CarawayError

__all__ = ["Proxy"]


class Proxy:  # its own account stands above: `__doc__` is the object's
    __slots__ = ("__find", "__weakref__")

    def __init__(self, find: Callable[[], Any]) -> None:
        """`find` is called at each use, never before."""
        object.__setattr__(self, "_Proxy__find", find)

    def _get_current_object(self) -> Any:
        """Give what it stands for now."""
        return object.__getattribute__(self, "_Proxy__find")()

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """That of the object; where there is none, its own: whoever looks through all objects must not fail by it."""
        try:
            return type(self._get_current_object())
        except CarawayError:
            return Proxy

    @property
    def __doc__(self) -> Any:  # type: ignore[override]
        """That of the object."""
        return self._get_current_object().__doc__

    def __getattr__(self, name: str) -> Any:
        return getattr(self._get_current_object(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._get_current_object(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._get_current_object(), name)

    def __dir__(self) -> list[str]:
        return dir(self._get_current_object())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._get_current_object()(*args, **kwargs)

    def __repr__(self) -> str:
        return repr(self._get_current_object())

    def __str__(self) -> str:
        return str(self._get_current_object())

    def __bool__(self) -> bool:
        return bool(self._get_current_object())

    def __eq__(self, other: object) -> bool:
        return bool(self._get_current_object() == (other._get_current_object() if type(other) is Proxy else other))

    def __hash__(self) -> int:
        return hash(self._get_current_object())

    def __enter__(self) -> Any:
        return self._get_current_object().__enter__()

    def __exit__(self, *error: Any) -> Any:
        return self._get_current_object().__exit__(*error)

    def __reduce__(self) -> Any:
        return self._get_current_object().__reduce__()
