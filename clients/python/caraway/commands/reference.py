"""docs/configuration.md, written from the settings' own definitions."""

from collections.abc import Mapping
from typing import Any, Final

from caraway.settings import Definition, definitions

__all__ = ["reference"]

_HEAD: Final = """\
<!-- Written by `make reference` from the settings' definitions; a test holds this file to them. Do not edit it. -->

# Configuration

A setting is named by a flag, by a variable of the environment, or in a file; the first of these that names it is taken,
or else its default:

1. the flag, as in `caraway server --lease 30s`;
2. the variable, as in `CARAWAY_SERVER_LEASE=30s`; an empty one counts as not set;
3. the file: the one that `--config FILE` names, or else the variable `CARAWAY_CONFIG`, or else `caraway.toml` in the
   working directory, where there is one.

```toml
# caraway.toml
[client]
target = "grpcs://gateway.example.org:50051"
token = "@/run/secrets/caraway-token"

[server]
redis = "redis://localhost:6379/0"
lease = "30s"
heartbeat = "10s"

[worker]
app = "proj"
concurrency = 8
queues = ["mail", "reports"]
```

All settings are checked before anything is started, and all that are wrong are told at once, each with its name, its
source and what to write. A key or a variable that is no setting is refused, with the nearest one that is; the variables
that Kubernetes makes of a Service called `caraway`, `caraway-server` or `caraway-worker` are left alone.

`caraway config [server|worker|client]` shows what is in effect and where it came from, with `--json` for programs.
Passwords and other secrets are masked there, in `caraway report` and in error messages.

A duration is a number of seconds, or a number with `ms`, `s`, `m`, `h` or `d`; in TOML the latter in quotes. A switch
is `true` or `false` (in the environment also `yes`, `no`, `on`, `off`, `1`, `0`), and as a flag `--name` or
`--no-name`. Names are a list in TOML, and have commas between them elsewhere.
"""

_ABOUT: Final = {
    "client": "Every command that asks a gateway, and `Caraway()` in a program where it is not told by its arguments.",
    "server": "`caraway server` and `caraway doctor`.",
    "worker": (
        "`caraway worker`. Its options that are no settings are in docs/worker.md. How the gateway is reached is by "
        "default what the app says, or else the section `client`; what is said here goes before that, and for what the "
        "tasks submit it stands in for the section `client`."
    ),
}


def reference(sections: Mapping[str, Any]) -> str:
    """Write the whole document."""
    tables = [f"## [{name}]\n\n{_ABOUT[name]}\n\n{_table(sections[name])}\n" for name in sorted(sections)]
    return "\n".join([_HEAD, *tables])


def _table(settings: Any) -> str:
    rows = ["| key | flag | variable | value | default | |", "|---|---|---|---|---|---|"]
    rows += [_row(one) for one in definitions(settings) if one.variable]
    return "\n".join(rows)


def _row(one: Definition) -> str:
    flags = ", ".join(f"`{flag}`" for flag in one.flags)
    value = one.kind.label.replace("|", ", ") if one.kind.choices else one.kind.label.lower()
    default = f"`{one.default_text}`" if one.default_text else ""
    secret = " Shown masked." if one.mask is not None else ""
    cells = (f"`{one.key}`", flags, f"`{one.variable}`", value, default, one.help + secret)
    return "| " + " | ".join(cells) + " |"
