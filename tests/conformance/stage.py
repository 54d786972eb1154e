"""What cases are played on: gateways, programs, and the workers that cases share."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caraway import Caraway
from conformance.languages import Language, prepare
from conformance.program.settings import connection
from conformance.program_process import ProgramProcess
from support.gateway import GatewayProcess
from support.secured import SecuredGateway

FLAGS: dict[str, tuple[str, ...]] = {
    "main": (),
    # Limits low enough to be met, leases short enough to be lost.
    "strict": ("--lease", "2s", "--heartbeat", "0.4s", "--max-lost", "2", "--max-payload", "65536",
               "--max-queue-length", "3"),
    # Cases restart it.
    "restarted": (),
}  # fmt: skip

SHARED_CONCURRENCY = 4
CLIENT, WORKER = "client", "worker"


@dataclass(slots=True)
class Cast:
    """Who plays a case: the language of its client, and that of its worker."""

    client: Language
    worker: Language

    @property
    def languages(self) -> tuple[Language, ...]:
        """Both, or the one."""
        return (self.client,) if self.client is self.worker else (self.client, self.worker)


@dataclass(slots=True)
class Shared:
    """A worker that cases share, on the main gateway."""

    name: str
    queue: str


@dataclass(slots=True)
class Stage:
    """Starts what is needed when it is needed first, and keeps it until `close`."""

    folder: Path
    short_folder: Callable[[], Path]
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    _gateways: dict[str, GatewayProcess] = field(default_factory=dict)
    _secured: SecuredGateway | None = None
    _programs: dict[tuple[str, str], ProgramProcess] = field(default_factory=dict)
    _callers: dict[str, Caraway] = field(default_factory=dict)
    _shared: dict[str, Shared] = field(default_factory=dict)

    def gateway(self, kind: str) -> GatewayProcess:
        """A gateway by its kind: one of FLAGS, or "secure"."""
        if kind == "secure":
            return self.secured().process
        if kind not in self._gateways:
            self._gateways[kind] = GatewayProcess(self.short_folder(), *FLAGS[kind]).start()
        return self._gateways[kind]

    def secured(self) -> SecuredGateway:
        """The gateway with mutual TLS and tokens."""
        if self._secured is None:
            self._secured = SecuredGateway(self.short_folder(), mutual=True).start()
        return self._secured

    def credentials(self) -> dict[str, str]:
        """What the gateway "secure" asks for."""
        secured = self.secured()
        cert, key = secured.client.write(secured.folder, "client")
        return {"token": secured.token, "ca": str(secured.ca), "cert": str(cert), "key": str(key)}

    def caller(self, kind: str) -> Caraway:
        """The suite's own way to a gateway."""
        if kind not in self._callers:
            self._callers[kind] = Caraway(
                "suite",
                **connection({"target": self.gateway(kind).target, **(self.credentials() if kind == "secure" else {})}),
            )
        return self._callers[kind]

    def program(self, language: Language, role: str) -> ProgramProcess:
        """The program of a language in a role. A client program is connected to the main gateway, as "main"."""
        known = self._programs.get((language.column, role))
        if known is not None:
            return known
        prepare(language)
        log = self.folder / f"{language.column}-{role}.log"
        made = ProgramProcess([*language.command, role], log, language.cwd)
        self._programs[language.column, role] = made
        if role == CLIENT:
            made.do("connect", client="main", target=self.gateway("main").target)
        return made

    def shared_worker(self, language: Language) -> Shared:
        """A language's worker on the main gateway."""
        program = self.program(language, WORKER)
        if language.column not in self._shared:
            tag = f"shared-{language.name}{language.variant}-{next(self.numbers)}"
            self._shared[language.column] = Shared(tag, tag)
            program.do(
                "start", worker=tag, queues=[tag], concurrency=SHARED_CONCURRENCY, target=self.gateway("main").target
            )
        return self._shared[language.column]

    def kill(self, language: Language, role: str) -> None:
        """Kill a program, if it runs; the next case starts it anew."""
        program = self._programs.pop((language.column, role), None)
        if role == WORKER:
            self._shared.pop(language.column, None)
        if program is not None:
            program.kill()

    def close(self) -> None:
        """End all."""
        for program in self._programs.values():
            program.end()
        for caller in self._callers.values():
            caller.close()
        for gateway in self._gateways.values():
            gateway.stop()
        if self._secured is not None:
            self._secured.stop()
