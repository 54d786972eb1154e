"""The command `caraway doctor`."""

import asyncio
import sys
from typing import Any

import click

from caraway.commands.output import Output
from caraway.commands.progress import progress
from caraway.commands.settings_options import with_settings
from caraway_server.core.errors import CarawayServerError, StoreUnavailable
from caraway_server.embedded import EmbeddedStore
from caraway_server.settings import Settings
from caraway_server.store.checks.deployment import Remark, examine_deployment
from caraway_server.store.checks.finding import Finding
from caraway_server.store.connection import connect
from caraway_server.store.store import Store

SHOWN = 50

_STORE_AWAY = 3


class _StoreAway(click.ClickException):
    exit_code = _STORE_AWAY


@click.command()
@with_settings(Settings, only=("redis", "data_dir"))
@click.option("--repair", is_flag=True, help="Make the indexes again, where the records tell how.")
@click.option("--json", "as_json", is_flag=True, help="JSON: one object a line.")
def doctor(settings: Settings, repair: bool, as_json: bool) -> None:
    """Check the store, while all goes on: how it is run, and whether every index agrees with the records.

    It connects to the store itself, by the server's settings. Exit code 1: something is wrong, and still is.
    """
    try:
        sound = asyncio.run(_examine(settings, repair, Output(as_json)))
    except StoreUnavailable as error:
        advice = "start the gateway, whose store it is" if not settings.redis else "see --redis"
        raise _StoreAway(f"{error} ({advice})") from error
    except CarawayServerError as error:
        raise click.ClickException(str(error)) from error
    sys.exit(0 if sound else 1)


async def _examine(settings: Settings, repair: bool, out: Output) -> bool:
    redis = connect(settings.redis or EmbeddedStore(settings.data_dir).url)
    store = Store(redis, "doctor", settings.limits, lambda _notes: None)
    try:
        remarks = await examine_deployment(redis, settings.limits)
        for remark in remarks:
            _say(out, remark)
        with progress("checking the store", await store.checker.size()) as advance:
            found = await store.checker.check(advance)
        left = await store.checker.repair(found, settings.limits.lease) if repair else found
    finally:
        await redis.aclose()
    _tell(out, found, left, store.checker.keys)
    if store.checker.foreign:
        _say(out, Remark("ok", f"{store.checker.foreign} keys of other programs are in the same database"))
    return not left and all(remark.level != "error" for remark in remarks)


def _tell(out: Output, found: list[Finding], left: list[Finding], count: int) -> None:
    remaining = set(left)
    for finding in found if out.as_json else found[:SHOWN]:
        if finding in remaining:
            _say(out, Remark("error", finding.text, finding.advice))
        else:
            _say(out, Remark("repaired", finding.text))
    for finding in remaining.difference(found):
        _say(out, Remark("error", finding.text, finding.advice))
    if len(found) > SHOWN and not out.as_json:
        out.line(f"... and {len(found) - SHOWN} more; --json tells all", None)
    if not found:
        _say(out, Remark("ok", f"{count} keys, and every index agrees with the records"))


def _say(out: Output, remark: Remark) -> None:
    document: dict[str, Any] = {"level": remark.level, "text": remark.text}
    if remark.advice:
        document["advice"] = remark.advice
    out.line(f"{remark.level:<8}  {remark.text}" + (f": {remark.advice}" if remark.advice else ""), document)
