"""`task_routes`: which options a task is given by its name, or by a function of one's own."""

import fnmatch
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from caraway.exceptions import ImproperlyConfigured
from caraway.queues import name_of, tell_once
from caraway.spec import CALL_OPTIONS

__all__ = ["Routes"]

Route = Mapping[str, Any]
Ask = Callable[[str, Sequence[Any], Mapping[str, Any], Mapping[str, Any], Any], Any]

_OF_BROKERS: Final = frozenset({"exchange", "exchange_type", "routing_key", "delivery_mode"})


class Routes:
    """Routers, asked in turn: the first that gives a route decides."""

    def __init__(self, routes: Any) -> None:
        """`routes` is a `task_routes`: a router or a list of them. A router is one of these.

        - A dict, or a list of pairs: routes by names of tasks, globs ("feed.*"), or patterns (re.compile). A name goes
          before globs and patterns, which are tried in their order.
        - A function of (name, args, kwargs, options, task=None), or an object, or its class, with the method
          `route_for_task(name, args, kwargs)`; None of it says that it has no route.
        - Where one of those is, as text: "proj.routers.route" or "proj.routers:Router"; looked up when first needed.

        A route is a dict of options of calls, or the name of a queue. Raises ImproperlyConfigured for anything else.
        """
        self._asks = [_router(router) for router in _listed(routes)]

    def find(
        self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], options: Mapping[str, Any], task: Any
    ) -> Route:
        """Give the route of a call, empty without one. Raises ImproperlyConfigured for one that can't be honoured."""
        for ask in self._asks:
            route = ask(name, args, kwargs, options, task)
            if route:
                return _checked(name, route)
        return {}


def _listed(routes: Any) -> Iterable[Any]:
    if routes is None:
        return ()
    if not isinstance(routes, list | tuple) or _is_pairs(routes):
        return (routes,)
    return routes


def _is_pairs(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(one, list | tuple) and len(one) == 2 and _is_key(one[0]) for one in value)
    )


def _is_key(value: Any) -> bool:
    return isinstance(value, str | re.Pattern)


def _router(router: Any) -> Ask:
    if isinstance(router, Mapping) or _is_pairs(router):
        return _Map(router.items() if isinstance(router, Mapping) else router)
    if isinstance(router, str):
        return _Named(router)
    return _callable(router, repr(router))


def _callable(router: Any, shown: str) -> Ask:
    if isinstance(router, type):
        router = router()
    if hasattr(router, "route_for_task"):
        return lambda name, args, kwargs, _options, _task: router.route_for_task(name, args, kwargs)
    if callable(router):
        return lambda name, args, kwargs, options, task: router(name, args, kwargs, options, task=task)
    raise ImproperlyConfigured(f"task_routes: a router is a dict, a function or where one is, and {shown} is none")


class _Map:
    """Routes by name, glob or pattern."""

    def __init__(self, pairs: Iterable[tuple[Any, Any]]) -> None:
        self._names: dict[str, Any] = {}
        self._patterns: list[tuple[re.Pattern[str], Any]] = []
        for key, route in pairs:
            if isinstance(key, re.Pattern):
                self._patterns.append((key, route))
            elif isinstance(key, str) and any(sign in key for sign in "*?["):
                self._patterns.append((re.compile(fnmatch.translate(key)), route))
            elif isinstance(key, str):
                self._names[key] = route
            else:
                raise ImproperlyConfigured(f"task_routes: a name, a glob or a pattern is routed, not {key!r}")

    def __call__(self, name: str, *_call: Any) -> Any:
        if name in self._names:
            return self._names[name]
        return next((route for pattern, route in self._patterns if pattern.match(name)), None)


class _Named:
    """A router that is looked up when it is first asked."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._ask: Ask | None = None

    def __call__(self, *call: Any) -> Any:
        if self._ask is None:
            try:
                self._ask = _callable(pkgutil.resolve_name(self._path), repr(self._path))
            except (ImportError, AttributeError, ValueError) as error:
                raise ImproperlyConfigured(f"task_routes: {self._path!r} can't be found: {error}") from error
        return self._ask(*call)


def _checked(name: str, route: Any) -> Route:
    if isinstance(route, str) or hasattr(route, "name"):
        return {"queue": name_of(route)}
    if not isinstance(route, Mapping):
        raise ImproperlyConfigured(f"the route of {name} is to be a dict or the name of a queue, not {route!r}")
    of_brokers = [option for option in route if option in _OF_BROKERS]
    if of_brokers and not route.get("queue"):
        raise ImproperlyConfigured(f"the route of {name} names no queue: there are no exchanges and routing keys here")
    tell_once("task_routes", of_brokers)
    found = {option: value for option, value in route.items() if option not in _OF_BROKERS}
    unknown = found.keys() - CALL_OPTIONS
    if unknown:
        raise ImproperlyConfigured(f"the route of {name}: apply_async() has no option {sorted(unknown)[0]!r}")
    if found.get("queue") is not None:
        found["queue"] = name_of(found["queue"])
    return found
