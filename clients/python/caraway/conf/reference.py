"""docs/app-settings.md, written from the table of settings: `python -m caraway.conf.reference`."""

import sys
from typing import Final

from caraway.conf.options import OPTIONS, SECTIONS, Option

__all__ = ["reference"]

_HEAD: Final = """\
<!-- Written by `make reference` from the table of settings; a test holds this file to it. Do not edit it. -->

# Settings of an app

`app.conf` has all settings of an app, by Celery's names: as attributes, as items, and by `app.conf.update(...)`. They
may come from

- the constructor: `Caraway("proj", task_serializer="yaml")`;
- `app.config_from_object("proj.config")`: a module, a class, an object or a dict, or the name of one; with
  `namespace="CELERY"` what begins with `CELERY_`; read when a setting is first needed;
- `app.config_from_envvar("PROJ_CONFIG")`, which names a module; `app.config_from_cmdarg(["worker_concurrency=4"])`;
- `app.add_defaults({...})`, below all of these.

What was set by the program goes before what `config_from_object` names, that before added defaults, and that before
the defaults below. The names of Celery 3 (`CELERYD_CONCURRENCY`) are taken, too. A name that is almost a setting's is
refused with the right one, and so is a value that can't be; nothing is set then. Settings of Celery's that mean
nothing here are taken, and told once in a warning that says what stands in their place. Any other name is your
program's own.

`app.conf.humanize()` and `app.conf.table()` show what is set, without what looks like a secret. `caraway config
--check proj.config` checks a module of settings.

What it says of the worker holds where no flag, variable or file does ([Configuration](configuration.md)): a worker
that finds other settings in its app begins again with those. What a task says of itself goes before what its app says
of all.
"""


def _row(option: Option) -> str:
    default = option.shown or f"`{option.default!r}`"
    flag = f" `caraway worker --{option.worker.replace('_', '-')}` goes before it." if option.worker else ""
    return f"| `{option.name}` | {default} | {option.help}{flag} |"


def reference() -> str:
    """Write the page."""
    parts = [_HEAD]
    for section in SECTIONS:
        rows = [_row(option) for option in OPTIONS.values() if option.section == section]
        parts.append(f"## {section}\n\n| setting | default | |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(reference())
