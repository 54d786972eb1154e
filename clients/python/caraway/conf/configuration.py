"""Configuration: settings by name, put together when the first is needed."""

import os
import re
import threading
import warnings
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, Final

from caraway.conf import sources
from caraway.conf.names import canonical, checked_name, pointless, pointless_text
from caraway.conf.options import OPTIONS
from caraway.exceptions import ImproperlyConfigured
from caraway.settings.definition import mask_password

__all__ = ["Configuration"]

_SECRET: Final = re.compile(r"API|TOKEN|KEY|SECRET|PASS|PROFANITIES_LIST|SIGNATURE|DATABASE", re.IGNORECASE)
_HIDDEN: Final = "********"
_PLAIN: Final = "_"

Source = Callable[[], Mapping[str, Any]]


class Configuration(MutableMapping[str, Any]):
    """`app.conf`: each setting is an attribute and an item.

    What was set here goes before what `config_from_object` names, that before `add_defaults`, and that before the
    defaults of `caraway.conf.options`. Names are Celery's, also the old ones of Celery 3. A setting of Celery's that
    means nothing here is kept, and told once in a warning; a name that is almost a setting's is refused; any other is
    the program's own.
    """

    def __init__(
        self, on_load: Callable[[], None], on_loaded: Callable[[], None], on_change: Callable[[], None]
    ) -> None:
        """`on_load` is called before the sources are read, `on_loaded` after that, `on_change` when a value changes."""
        self._lock = threading.RLock()
        self._changes: dict[str, Any] = {}
        self._source: Source | None = None
        self._defaults: list[Source] = []
        self._values: dict[str, Any] | None = None
        self._told: set[str] = set()
        self._on_load, self._on_loaded, self._on_change = on_load, on_loaded, on_change

    # Reading

    def value(self, name: str) -> Any:
        """Give the value of a setting by its name of today; quick, for what each call needs."""
        values = self._values
        return (self._load() if values is None else values)[name]

    def __getitem__(self, key: str) -> Any:
        """Raises KeyError for what is neither a setting nor set."""
        return self.value(canonical(key))

    def __getattr__(self, name: str) -> Any:
        """Raises AttributeError likewise."""
        if name.startswith(_PLAIN):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"no setting has the name {name!r}, and none was set") from None

    def __iter__(self) -> Iterator[str]:
        """All settings, and what was set beside them."""
        return iter(self._load())

    def __len__(self) -> int:
        """How many these are."""
        return len(self._load())

    def __contains__(self, key: object) -> bool:
        """Whether it is a setting, or set."""
        return isinstance(key, str) and canonical(key) in self._load()

    def of_worker(self) -> dict[str, Any]:
        """Give what is set for workers, by the names of their settings; None leaves one as it is."""
        self._load()
        set_somewhere = ChainMap(*map(dict, self._layers))
        named = ((option.worker, set_somewhere.get(name)) for name, option in OPTIONS.items() if option.worker)
        return {field: value for field, value in named if value is not None}

    # Writing

    def __setitem__(self, key: str, value: Any) -> None:
        """Raises ImproperlyConfigured for a value that can't be one, or a name that is almost a setting's."""
        self.update({key: value})

    def __setattr__(self, name: str, value: Any) -> None:
        """The same."""
        if name.startswith(_PLAIN):
            object.__setattr__(self, name, value)
        else:
            self[name] = value

    def __delitem__(self, key: str) -> None:
        """Take back what was set here. Raises KeyError."""
        with self._lock:
            del self._changes[canonical(key)]
            self._forget()

    def __delattr__(self, name: str) -> None:
        """The same; raises AttributeError."""
        try:
            del self[name]
        except KeyError:
            raise AttributeError(name) from None

    def update(self, *args: Any, **settings: Any) -> None:
        """Set all of these, or none where one is refused. Raises as item assignment."""
        changes = {checked_name(key): value for key, value in dict(*args, **settings).items()}
        changes = {name: _checked(name, value) for name, value in changes.items()}
        with self._lock:
            self._changes.update(changes)
            self._forget()

    def add_defaults(self, source: Mapping[str, Any] | Callable[[], Mapping[str, Any]]) -> None:
        """Add a layer of defaults below all that is set; a function that gives them is called when first needed."""
        given = source if callable(source) else lambda: source
        with self._lock:
            self._defaults.insert(0, lambda: sources.read(given(), None))
            self._forget()

    def read_from(self, source: Source | None) -> None:
        """Take the settings of a source, read when first needed; it takes the place of an earlier one."""
        with self._lock:
            self._source = source
            self._forget()

    def _forget(self) -> None:
        object.__setattr__(self, "_values", None)
        self._on_change()

    # Putting together

    def _load(self) -> dict[str, Any]:
        values = self._values
        if values is not None:
            return values
        with self._lock:
            if self._values is not None:
                return self._values
            self._on_load()
            own = self._source() if self._source is not None else {}
            self._layers: list[Mapping[str, Any]] = [self._changes, _all_checked(own)]
            self._layers += [_all_checked(defaults()) for defaults in self._defaults]
            values = {name: option.default for name, option in OPTIONS.items()}
            for layer in reversed(self._layers):
                values.update(layer)
            self._values = values
        self._tell_pointless(values)
        self._on_loaded()
        return values

    def _tell_pointless(self, values: Mapping[str, Any]) -> None:
        new = {name for name in values if name not in OPTIONS and name not in self._told and pointless(name)}
        if new:
            self._told |= new
            text = "\n  ".join(pointless_text(new))
            warnings.warn(f"settings that have no effect in Caraway:\n  {text}", UserWarning, stacklevel=4)

    # Showing

    def table(self, with_defaults: bool = False, censored: bool = True) -> dict[str, Any]:
        """Give what is set, with defaults if asked for, and without what looks like a secret unless told otherwise."""
        values = self._load()
        shown = {name: values[name] for name in values if with_defaults or any(name in one for one in self._layers)}
        return {name: _censored(name, value) for name, value in shown.items()} if censored else shown

    def humanize(self, with_defaults: bool = False, censored: bool = True) -> str:
        """The same as text, a line for each."""
        lines = (f"{name}: {value!r}" for name, value in sorted(self.table(with_defaults, censored).items()))
        return "\n".join(lines)

    def __repr__(self) -> str:
        """What is set."""
        return f"<{type(self).__name__}: {self.table()!r}>"

    def without_defaults(self) -> dict[str, Any]:
        """What is set, with its secrets."""
        return self.table(censored=False)


def of_variable(variable: str, *, silent: bool) -> str:
    """Give what an environment variable names. Raises ImproperlyConfigured where it is not set, unless `silent`."""
    name = os.environ.get(variable, "")
    if not name and not silent:
        raise ImproperlyConfigured(
            f"the environment variable {variable!r} is not set, and so names no configuration. Set it, and have it "
            "name a module that can be imported"
        )
    return name


def _checked(name: str, value: Any) -> Any:
    option = OPTIONS.get(name)
    if option is None:
        return value
    try:
        return option.check(value)
    except ValueError as error:
        shown = "" if _SECRET.search(name) else f" {_censored(name, value)!r}"
        raise ImproperlyConfigured(f"the setting {name} can't be{shown}: {error}") from None


def _all_checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _checked(name, value) for name, value in settings.items()}


def _censored(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _censored(str(key), inner) for key, inner in value.items()}
    if _SECRET.search(name):
        return _HIDDEN
    return mask_password(value) if isinstance(value, str) and "://" in value else value
