"""Plays a case, step by step. cases/README.md says what stands in one."""

import uuid
from collections.abc import Callable
from typing import Any

from conformance.languages import THERE, Language
from conformance.matching import check
from conformance.program_process import Pending
from conformance.proxy import Proxy
from conformance.stage import CLIENT, WORKER, Cast, Stage
from conformance.suite_steps import SuiteSteps
from conformance.wording import Names, members_of

CLIENT_STEPS = frozenset(
    {"submit", "submit_many", "run", "read", "wait", "result", "watch", "list", "revoke", "retry", "delete", "canvas",
     "connect", "close"}
)  # fmt: skip
WORKER_STEPS = frozenset({"start", "drain", "stop", "release"})
MODIFIERS = frozenset({"as", "expect", "fails", "background", "keep", "program"})


class Play:
    """One case, played by one cast."""

    def __init__(self, case: dict[str, Any], cast: Cast, stage: Stage) -> None:
        self.case, self.cast, self.stage = case, cast, stage
        self.tag = f"c{next(stage.numbers)}"
        self.names = Names()
        self.begun: dict[str, Pending] = {}
        self.proxies: dict[str, Proxy] = {}
        self.kind: str = case.get("gateway", "main")
        self._client = "main"
        self._workers: dict[str, Language] = {}
        self._suite = SuiteSteps(self)

    def run(self) -> None:
        """Play it. Raises AssertionError, with the step that failed."""
        try:
            self._set_up()
            for number, step in enumerate(self.case["steps"], 1):
                try:
                    self._step(step)
                except AssertionError as error:
                    raise AssertionError(f"step {number}, {step}: {error}") from error
            self._tidy_up()
        except BaseException:
            # What it has left running is unknown: the next case starts afresh.
            for language in {self.cast.client, self.cast.worker, *self._workers.values()}:
                self.stage.kill(language, CLIENT)
                self.stage.kill(language, WORKER)
            raise
        finally:
            for proxy in self.proxies.values():
                proxy.close()

    def _set_up(self) -> None:
        gateway = self.stage.gateway(self.kind)
        for role in self.case.get("proxy", ()):
            self.proxies[role] = Proxy(gateway.target)
        for name in self.case.get("ids", ()):
            self.names[name] = str(uuid.uuid4())
        self.names["queue"] = self.names["case"] = self.tag
        if self.kind != "main" or CLIENT in self.proxies:
            self._client = self.tag
            self._request(self.cast.client, CLIENT, "connect", {}).answer()
        worker = self.case.get("worker", "shared")
        if self.case.get("every"):
            queues = [self.stage.shared_worker(language).queue for language in THERE]
            for number in range(4):
                self.names[f"queue {number + 1}"] = queues[number % len(queues)]
        elif worker == "shared":
            shared = self.stage.shared_worker(self.cast.worker)
            self.names["queue"], self.names["own"] = shared.queue, shared.name
        elif worker != "none":
            self._step({"start": {"worker": "own", **worker}})

    def _tidy_up(self) -> None:
        for name, pending in self.begun.items():
            assert pending.last is not None, f"no step waited for the end of {name!r}"
        for worker, language in list(self._workers.items()):
            self.stage.program(language, WORKER).do("stop", worker=worker)
        if self._client != "main":
            self.stage.program(self.cast.client, CLIENT).do("close", client=self._client)

    # Steps

    def _step(self, step: dict[str, Any]) -> None:
        (do,) = step.keys() - MODIFIERS
        given = self.names.put_into(step[do])
        if do in CLIENT_STEPS:
            self._answered(step, self._request(self.cast.client, CLIENT, do, given))
        elif do in WORKER_STEPS:
            self._worker_step(step, do, given)
        elif do == "end":
            self._finish(step, self.begun[given].answer())
        else:
            method: Callable[[Any], str | None] = getattr(self._suite, do)
            named = method(given)
            if "as" in step:
                assert named is not None, f"{do} gives nothing that could be named"
                self.names[step["as"]] = named

    def _request(self, language: Language, role: str, do: str, given: Any) -> Pending:
        members = members_of(do, given, self.names["queue"])
        if do == "connect":
            members = {**self.connection(role), **members}
        return self.stage.program(language, role).begin(do, **{"client": self._client, **members})

    def _worker_step(self, step: dict[str, Any], do: str, given: dict[str, Any]) -> None:
        language = THERE[0] if step.get("program") == "python" else self.cast.worker
        members = dict(given)
        direct = {"target": self.stage.gateway(self.kind).target} if members.pop("direct", False) else {}
        worker = members["worker"] = self.worker_named(given.get("worker", "own"))
        if do == "start":
            self.names[given["worker"]] = worker
            members = {
                "queues": [self.names["queue"]],
                "concurrency": 2,
                **self.connection(WORKER),
                **direct,
                **members,
            }
            self._workers[worker] = language
        elif worker in self._workers:
            language = self._workers[worker]
            if do != "release":
                del self._workers[worker]
        self._answered(step, self.stage.program(language, WORKER).begin(do, **members))

    def worker_named(self, name: str) -> str:
        """The full name of a worker: those of a case are not to meet those of others."""
        shared = self.case.get("worker", "shared") == "shared" and name == "own"
        return self.names["own"] if shared else f"{self.tag}-{name}"

    def program_of(self, worker: str) -> Language:
        """Whose program runs a worker."""
        return self._workers.get(worker, self.cast.worker)

    def forget_workers(self) -> None:
        """Their program was killed."""
        self._workers = {name: at for name, at in self._workers.items() if at is not self.cast.worker}

    def connection(self, role: str) -> dict[str, Any]:
        """How a program reaches the case's gateway."""
        proxy = self.proxies.get(role)
        target = self.stage.gateway(self.kind).target if proxy is None else proxy.target
        return {"target": target, **(self.stage.credentials() if self.kind == "secure" else {})}

    def _answered(self, step: dict[str, Any], pending: Pending) -> None:
        if step.get("background"):
            self.begun[step["as"]] = pending
        else:
            self._finish(step, pending.answer())

    def _finish(self, step: dict[str, Any], answer: dict[str, Any]) -> None:
        if "fails" in step:
            assert "error" in answer, f"succeeded with {answer['ok']}"
            check(self.names.put_into(step["fails"]), answer["error"])
            return
        self._keep(step, answer)
        assert "ok" in answer, f"failed with {answer['error']}"
        ok = answer["ok"]
        if "as" in step and not step.get("background"):
            self._name(step["as"], ok)
        check(self.names.put_into(step.get("expect", {})), ok)

    def _keep(self, step: dict[str, Any], answer: dict[str, Any]) -> None:
        """Give names to members of an answer: `keep: {kind: error.type}`."""
        for name, path in step.get("keep", {}).items():
            value = answer.get("ok")
            for member in path.split("."):
                value = value[member] if isinstance(value, dict) else None
            assert isinstance(value, str), f"there is no {path} in {answer}"
            self.names[name] = value

    def _name(self, names: str | list[str], ok: dict[str, Any]) -> None:
        if isinstance(names, str):
            self.names[names] = ok["task_id"]
            return
        for name, result in zip(names, ok["results"], strict=True):
            self.names[name] = result.get("task_id") or ""
