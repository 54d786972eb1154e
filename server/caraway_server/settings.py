"""The gateway's settings: defaults first, then everything checked at once."""

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from caraway.settings import ADDRESS, InvalidSettings, Problem, mask_password, setting
from caraway_server.store.values import Limits

MIB = 1 << 20
MAX_MESSAGE_BYTES = 4 * MIB
LARGEST_PAYLOAD_LIMIT = 3 * MIB + MIB // 2  # a task's other fields must fit into the message beside it
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a gateway is started with: the section `server`."""

    section: ClassVar[str] = "server"

    listen: str = setting("127.0.0.1:50051", "HOST:PORT; port 0 takes a free one.", kind=ADDRESS)
    redis: str = setting(
        "",
        "URL of a Redis (7.0 or newer) or Valkey: redis://, rediss://, unix://, sentinel://HOST:PORT,.../SERVICE; "
        "without one there is an embedded one.",
        secret=mask_password,
    )
    wait_replicas: int = setting(0, "Replicas of the store that must have each change before it is answered.")
    data_dir: Path = setting(Path("caraway-data"), "Folder of the embedded store, where no --redis is named.")
    fsync: str = setting(
        "always",
        "The embedded store's: always; everysec may lose a second; no keeps nothing on disk.",
        choices=("always", "everysec", "no"),
    )
    processes: int = setting(1, "Gateway processes that share the port.")
    tls_cert: Path | None = setting(
        None, "The gateway's certificate with its chain, in PEM. Read again when it changes."
    )
    tls_key: Path | None = setting(None, "The certificate's key, without a password. Read again when it changes.")
    tls_client_ca: Path | None = setting(
        None, "Serve only clients whose certificate one of these authorities has signed. Read again when it changes."
    )
    tokens: Path | None = setting(
        None, "Serve only calls with a token of this file; `caraway token` makes them. Read again when it changes."
    )
    insecure: bool = setting(False, "Listen beyond this machine without TLS, or without tokens.")
    lease: timedelta = setting(timedelta(seconds=15), "How long a delivery lasts unrenewed.")
    heartbeat: timedelta = setting(timedelta(seconds=5), "Time between renewals.")
    result_ttl: timedelta = setting(timedelta(days=1), "How long an ended task is kept.")
    max_payload_bytes: int = setting(3 * MIB, "Bytes of arguments or of a result.", flags=("--max-payload",))
    max_queue_length: int = setting(10_000_000, "Tasks that may wait in one queue.")
    max_lost: int = setting(5, "Lost deliveries after which a task is quarantined.")
    dedup_window: timedelta = setting(timedelta(minutes=10), "How long the id of a deleted task stays taken.")
    log_level: str = setting("INFO", "What is logged.", flags=("-l", "--log-level"), choices=LEVELS)
    log_format: str = setting("text", "How it is logged; json: an object a line.", choices=("text", "json"))
    metrics_bind: str = setting(
        "",
        "Where /metrics, /healthz and /readyz are, without TLS or tokens; each of --processes takes one more port.",
        kind=ADDRESS,
        shown="off",
    )
    http: str = setting(
        "",
        "Where the services are as JSON over HTTP, HOST:PORT, with the same TLS and tokens.",
        kind=ADDRESS,
        shown="off",
    )
    http_origins: tuple[str, ...] = setting(
        (), "Origins of browsers' pages that may call there; * for all.", shown="none"
    )
    max_batch_size: int = 500  # items in one request; clients send batches of this size without asking

    def __post_init__(self) -> None:
        problems = [*self._address_problems(), *self._tls_problems(), *self._number_problems()]
        if problems:
            raise InvalidSettings(problems)

    def _address_problems(self) -> list[Problem]:
        host, port = self.host, self.listen.rpartition(":")[2]
        if not host or not port.isdecimal() or int(port) > 65535:
            return [Problem("listen", "write HOST:PORT")]
        if self.processes > 1 and self.http.endswith(":0"):
            return [Problem("http", "name a port: all processes share it")]
        if self.unprotected and not self.insecure:
            text = (
                f"it reaches beyond this machine, and there is no {self.unprotected}: anyone who can reach the port "
                "could run tasks, or listen to them. Name --tls-cert, --tls-key and --tokens; or listen on "
                "127.0.0.1; or say --insecure in a closed network (docs/security.md)"
            )
            return [Problem("listen" if not _is_loopback(self.host) else "http", text)]
        return []

    def _tls_problems(self) -> list[Problem]:
        if (self.tls_cert is None) != (self.tls_key is None):
            missing = "tls_key" if self.tls_key is None else "tls_cert"
            return [Problem(missing, "name it too: a certificate and its key go together")]
        if self.tls_client_ca is not None and self.tls_cert is None:
            return [Problem("tls_client_ca", "name tls_cert and tls_key too: without them there is no TLS")]
        return []

    def _number_problems(self) -> list[Problem]:
        payload = 1 <= self.max_payload_bytes <= LARGEST_PAYLOAD_LIMIT
        checks = [
            (self.processes >= 1, "processes", "write at least 1"),
            (self.wait_replicas >= 0, "wait_replicas", "write at least 0"),
            (
                self.redis or not self.wait_replicas,
                "wait_replicas",
                "name redis, too: the embedded store has no replicas",
            ),
            (self.lease >= timedelta(seconds=1), "lease", "write at least 1s"),
            (self.heartbeat * 2 <= self.lease, "heartbeat", "write at most half of lease"),
            (self.heartbeat >= timedelta(milliseconds=100), "heartbeat", "write at least 100ms"),
            (self.result_ttl > timedelta(0), "result_ttl", "write more than 0"),
            (payload, "max_payload_bytes", f"write 1 to {LARGEST_PAYLOAD_LIMIT}"),
            (self.max_queue_length >= 1, "max_queue_length", "write at least 1"),
            (self.max_lost >= 1, "max_lost", "write at least 1"),
            (self.last_metrics_port <= 65535, "metrics_bind", "each process takes one more port: write a lower one"),
            (self.dedup_window >= timedelta(minutes=1), "dedup_window", "write at least 60s: SDKs repeat that long"),
        ]
        return [Problem(name, text) for fine, name, text in checks if not fine]

    @property
    def host(self) -> str:
        """The host of `listen`, without the brackets of an IPv6 address."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def unprotected(self) -> str:
        """What is missing of TLS and tokens where the address reaches beyond this machine; empty: nothing."""
        if _is_loopback(self.host) and (not self.http or _is_loopback(self.http.rpartition(":")[0].strip("[]"))):
            return ""
        missing = [name for name, there in (("TLS", self.tls_cert), ("file of tokens", self.tokens)) if there is None]
        return " and no ".join(missing)

    @property
    def last_metrics_port(self) -> int:
        """The port of the last of the processes; 0: none, or free ones are taken."""
        port = int(self.metrics_bind.rpartition(":")[2] or 0)
        return port + self.processes - 1 if port else 0

    @property
    def limits(self) -> Limits:
        """What the store holds tasks to."""
        lease = _micros(self.lease)
        return Limits(
            max_queue_length=self.max_queue_length,
            result_ttl=_micros(self.result_ttl),
            max_lost=self.max_lost,
            lease=lease,
            reaper_gap=lease // 3,
            dedup_window=_micros(self.dedup_window),
            wait_replicas=self.wait_replicas,
        )


def _micros(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
