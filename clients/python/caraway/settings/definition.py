"""What a setting is: a field of a frozen dataclass, and what flags, environment, file and reference know of it."""

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, Final, get_args, get_type_hints

from caraway.settings.kinds import KINDS, Kind, choice

__all__ = ["Definition", "definitions", "environment_of", "mask_password", "setting"]

_KEY: Final = "caraway"
_HIDDEN: Final = "***"

Mask = Callable[[str], str]


def mask_password(url: str) -> str:
    """Give a URL without its password, wherever in it that stands."""
    url = re.sub(r"(://[^/@]*?):.*@", rf"\1:{_HIDDEN}@", url)
    return re.sub(r"([?&](?:sentinel_)?password=)[^&]*", rf"\1{_HIDDEN}", url)


def _mask_all(_text: str) -> str:
    return _HIDDEN


@dataclass(frozen=True, slots=True)
class Definition:
    """A setting.

    Attributes:
        section: the file's table.
        field: its name in the dataclass.
        key: its name in the file's table.
        variable: its name in the environment; empty: it can't be set there, nor in the file.
        flags: as click declares them; empty: there is none.
        kind: of its values.
        help: a sentence.
        default: the value where nobody names one.
        default_text: how that is shown.
        mask: makes of a value's text what may be shown; None: all of it.
        required: whether a command can't do without it.
    """

    section: str
    field: str
    key: str
    variable: str
    flags: tuple[str, ...]
    kind: Kind
    help: str
    default: Any
    default_text: str
    mask: Mask | None
    required: bool

    @property
    def flag(self) -> str:
        """The flag by which messages call it; empty where there is none."""
        return next((flag.partition("/")[0] for flag in self.flags if flag.startswith("--")), "")

    def show(self, value: Any) -> str:
        """Write a value for people: without its secrets."""
        if value is None:
            return ""
        return self.masked(self.kind.write(value))

    def masked(self, text: str) -> str:
        """Take the secrets out of text that was given for it."""
        return self.mask(text) if self.mask is not None and text else text


def setting(
    default: Any,
    help: str,
    *,
    flags: tuple[str, ...] | None = None,
    kind: Kind | None = None,
    choices: tuple[str, ...] = (),
    secret: bool | Mask = False,
    variable: str | None = None,
    only_flag: bool = False,
    required: bool = False,
    shown: str | None = None,
) -> Any:
    """Define a setting as a field of a dataclass that has a class variable `section`.

    Arguments: `default` is a value, or a function that makes one; `flags` are derived from the field's name by
    default, () is none; `kind` follows from the annotation by default; `choices`: text that is one of these; `secret`:
    True shows nothing of it, a function what may be shown; `variable` is derived from section and key by default;
    `only_flag`: it stands neither in the environment nor in the file; `required`: a command can't do without it;
    `shown` is how the default is told.
    """
    extra = {
        "help": help, "flags": flags, "kind": choice(choices) if choices else kind, "variable": variable,
        "mask": _mask_all if secret is True else secret or None, "only_flag": only_flag, "required": required,
        "shown": shown,
    }  # fmt: skip
    shows = not secret  # in tracebacks and logs
    if callable(default):
        return dataclasses.field(default_factory=default, repr=shows, metadata={_KEY: extra})
    return dataclasses.field(default=default, repr=shows, metadata={_KEY: extra})


def definitions(settings: Any) -> tuple[Definition, ...]:
    """Give the settings of a dataclass, its own before inherited ones, in their order."""
    kind = settings if isinstance(settings, type) else type(settings)
    hints = get_type_hints(kind)
    own = inspect.get_annotations(kind)
    return tuple(
        _definition(settings, field, hints[field.name], field.metadata[_KEY])
        for field in sorted(dataclasses.fields(settings), key=lambda field: field.name not in own)
        if _KEY in field.metadata
    )


def _definition(settings: Any, field: Any, hint: Any, extra: Mapping[str, Any]) -> Definition:
    options = [option for option in get_args(hint) if option is not NoneType] if NoneType in get_args(hint) else [hint]
    kind: Kind = extra["kind"] or KINDS[options[0]]
    flags = extra["flags"]
    if flags is None:
        long = "--" + field.name.replace("_", "-")
        flags = (f"{long}/--no-{long[2:]}",) if kind is KINDS[bool] and not extra["only_flag"] else (long,)
    long_names = [flag.partition("/")[0] for flag in flags if flag.startswith("--")]
    key = long_names[0][2:].replace("-", "_") if long_names else field.name
    prefix = prefix_of(settings)
    variable = "" if extra["only_flag"] else extra["variable"] or prefix + key.upper()
    default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    text = extra["shown"] if extra["shown"] is not None else "" if default is None else kind.write(default)
    return Definition(
        settings.section,
        field.name,
        key,
        variable,
        tuple(flags),
        kind,
        extra["help"],
        default,
        text,
        extra["mask"],
        extra["required"],
    )


def prefix_of(settings: Any) -> str:
    """Give what the variables of a section begin with."""
    return "CARAWAY_" if settings.section == "client" else f"CARAWAY_{settings.section.upper()}_"


def environment_of(settings: Any) -> dict[str, str]:
    """Give the variables that stand for these settings, so that another process may be started with them.

    An empty variable counts as not set: what is "" or None is "".
    """
    known: Iterable[Definition] = definitions(type(settings))
    values = ((one, getattr(settings, one.field)) for one in known if one.variable)
    return {one.variable: "" if value is None else one.kind.write(value) for one, value in values}
