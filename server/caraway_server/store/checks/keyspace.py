"""What must hold of every key: an owner, a type, and an expiry of Redis only where that is the rule."""

from collections.abc import Iterator

from caraway_server.store import keys
from caraway_server.store.checks.finding import Finding, Repair

NO_EXPIRY = -1

_KINDS = {
    "task:": "hash", "lane:": "zset", "lanes:": "set", "hungry:": "set", "depth": "hash", "scheduled": "zset",
    "expiring": "zset", "leases": "zset", "ended:": "zset", "sequence": "string", "reaper:seen": "string",
    "reaper:grace": "string", "clock": "string", "confirmed": "string", "unique:": "string", "queues": "set",
    "queue:": "hash", "paused": "set", "workers": "zset", "worker:": "hash", "workflow:": "hash", "nodes:": "list",
    "outbox:": "list", "open:": "list", "next:": "list", "members:": "list", "relay": "zset", "producers": "zset",
    "workflows": "zset", "children:": "zset", "workflows:ended": "zset",
}  # fmt: skip


def key_findings(name: str, kind: str, expiry: int) -> Iterator[Finding]:
    """Everything that is wrong with a key as such.

    Args:
        name: without the root.
        kind: its type, as Redis calls it.
        expiry: milliseconds that it has left; NO_EXPIRY where it stays.
    """
    wanted = next((kind for prefix, kind in _KINDS.items() if _is_called(name, prefix)), None)
    key = keys.ROOT + name
    if wanted is None:
        yield Finding(
            f"{name} is a key that nobody owns", f"nothing of Caraway's reads it; DEL {key} if nothing else does"
        )
        return
    if kind != wanted:
        yield Finding(
            f"{name} is a {kind}, not a {wanted}", f"something else wrote it; RENAME {key}, then run --repair"
        )
    # A uniqueness key has one where it is held for a time.
    expires = expiry != NO_EXPIRY
    if expires != name.startswith("hungry:") and not name.startswith("unique:"):
        text = f"{name} {'has an expiry' if expires else 'has no expiry'} of Redis"
        yield Finding(text, repair=Repair("mend_expiry", {"name": name}))


def _is_called(name: str, wanted: str) -> bool:
    return name.startswith(wanted) if wanted.endswith(":") else name == wanted
