"""Caraway: an app, which holds tasks and knows the gateway."""

import threading
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Self

from caraway import bug_report, builtin_tasks, current, request
from caraway.app import command_line, discovery
from caraway.app.configuring import NO_SETTINGS, unused_arguments
from caraway.app.fixups import fix_up
from caraway.app.task_making import AnyTask, TaskMaking
from caraway.control import Control
from caraway.exceptions import ImproperlyConfigured
from caraway.gateway import Gateway
from caraway.ids import uuid7
from caraway.middleware import Middleware, MiddlewareChain, installed
from caraway.settings import ClientSettings, definitions, find_file, load
from caraway.task import Task

__all__ = ["Caraway", "Celery"]


class Caraway(TaskMaking):
    """Tasks, and the gateway that they are submitted to. Usable from many threads, event loops and forked processes."""

    def __init__(
        self,
        main: str | None = None,
        target: str | None = None,
        *,
        token: str | None = None,
        tls_ca: Path | str | None = None,
        tls_cert: Path | str | None = None,
        tls_key: Path | str | None = None,
        tls_server_name: str | None = None,
        broker: str | None = None,
        default_queue: str | None = None,
        task_cls: type[AnyTask] | str | None = None,
        include: Iterable[str] | None = None,
        set_as_current: bool = True,
        autofinalize: bool = True,
        changes: Mapping[str, Any] | None = None,
        config_source: Any = None,
        namespace: str | None = None,
        **settings: Any,
    ) -> None:
        """`main` names the module of tasks that are defined in a program's main module.

        `target` is the gateway's address as "host:port", or "grpcs://host:port" to reach it by TLS. `token` is the one
        that it asks for, or "@FILE". `tls_ca` are the authorities that sign its certificate, `tls_cert` and `tls_key`
        what to show to it, all PEM files; `tls_server_name` is the name in its certificate. Each is by default what
        docs/configuration.md says of the section `client` (the environment's CARAWAY_TARGET, CARAWAY_TOKEN, ...,
        caraway.toml), read when first needed. `broker`, which is the setting `broker_url`, names the gateway where
        none of these does.

        `default_queue`, `include`, `changes`, `settings` and what `config_source` names are settings;
        docs/app-settings.md lists them. `namespace` is that of `config_from_object`. `task_cls` is the base of all
        tasks, or its name as "module:Class", looked up when the first task is made.

        `set_as_current=False` leaves the app that is meant where none is named as it is. With `autofinalize=False` the
        app has no tasks until `finalize()` is called.

        Arguments of Celery's constructor that change nothing are taken with one warning. Raises TypeError for those
        that there are not, ImproperlyConfigured for a value that can't be.
        """
        unused = unused_arguments(settings)
        if unused:
            text = "\n  ".join(f"{name}: {instead}" for name, instead in unused.items())
            warnings.warn(f"arguments of Caraway() that have no effect:\n  {text}", UserWarning, stacklevel=2)
        given = {"default_queue": default_queue, "include": include, "broker_url": broker}
        given = {name: value for name, value in given.items() if value is not None}
        given |= {name: value for name, value in settings.items() if name not in NO_SETTINGS}
        self.main = main
        self.autofinalize = autofinalize
        self.user_options: defaultdict[str, set[Any]] = defaultdict(set)
        """click's options that the command line has beside its own: of `worker`, and of all commands by `preload`."""
        self.installed_packages: Callable[[], Iterable[str]] | None = None
        self._task_cls = task_cls or Task
        self._make_hooks()
        self._start_configuring({**(changes or {}), **given}, config_source, namespace)
        self._discoveries: list[Callable[[], Any]] = []
        self._start_making()
        self._given = {
            "target": target,
            "token": token,
            "tls_ca": tls_ca,
            "tls_cert": tls_cert,
            "tls_key": tls_key,
            "tls_server_name": tls_server_name,
        }
        self._client_settings: ClientSettings | None = None
        self._gateway: Gateway | None = None
        self._lock = threading.Lock()
        builtin_tasks.add_to(self)
        if set_as_current:
            current.set_made(self)
        fix_up(self)
        self.on_init()

    def __repr__(self) -> str:
        """As Celery prints it."""
        return f"<{type(self).__name__} {self.main or '__main__'}>"

    @property
    def client_settings(self) -> ClientSettings:
        """How the gateway is reached. Raises ImproperlyConfigured if the settings are wrong."""
        if self._client_settings is None:
            self._client_settings = self.read_client_settings()
        return self._client_settings

    def read_client_settings(self) -> ClientSettings:
        """Read them anew. Raises as `client_settings`."""
        app = {"target": self.conf.broker_url}
        return load(ClientSettings, self._given, find_file(), app=app, strict=False).settings

    @property
    def target(self) -> str:
        """The gateway's address. Raises ImproperlyConfigured if the settings are wrong."""
        return self.client_settings.target

    @property
    def gateway(self) -> Gateway:
        """The gateway of this app; connected at its first call."""
        if self._gateway is None:
            # Here and not above: grpc takes 80 ms to load, and a worker's child, which only runs tasks, starts without.
            from caraway.client import Client  # noqa: PLC0415

            with self._lock:
                if self._gateway is None:
                    settings = self.client_settings
                    self._gateway = Client(settings.target, credentials=settings)
        return self._gateway

    def retarget(self, target: str | None) -> None:
        """Use another gateway from now on; None: the one that the settings name. For tests."""
        self.close()
        with self._lock:
            self._gateway = None
            self._client_settings = None if target is None else ClientSettings(target=target)

    @property
    def control(self) -> Control:
        """Asks and commands workers: `app.control.inspect().stats()`."""
        return Control(self)

    def close(self) -> None:
        """Close this process's connection; a later call opens a new one."""
        if self._gateway is not None:
            self._gateway.close()

    def __enter__(self) -> Self:
        """Gives itself; the block's end closes the connection."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        """As `close`."""
        self.close()

    # Several apps in a process

    def set_current(self) -> None:
        """Be the app that is meant in this thread, or asyncio task, where none is named."""
        current.set_current(self)

    def set_default(self) -> None:
        """Be the app that is meant in all threads that have no other one."""
        current.set_default(self)

    @property
    def current_task(self) -> Any:
        """The task that runs here, of whatever app; None where none does."""
        return request.current_task()

    current_worker_task = current_task

    # Modules of tasks

    def autodiscover_tasks(
        self,
        packages: Iterable[str] | Callable[[], Iterable[str]] | None = None,
        related_name: str | None = "tasks",
        force: bool = False,
    ) -> None:
        """Have the module `related_name` of each of these packages imported, where it has one; None: the packages.

        That is done where a worker, or `caraway shell`, imports the app's modules; with `force`, now. A function that
        gives the packages is called only then. In a Django project they are by default those of INSTALLED_APPS. Raises
        ImproperlyConfigured without packages elsewhere.
        """
        packages = packages if packages is not None else self.installed_packages
        if packages is None:
            raise ImproperlyConfigured(
                "autodiscover_tasks() is to be told the packages; only in a Django project, where the environment says "
                "DJANGO_SETTINGS_MODULE before the app is made, it knows them"
            )

        def find() -> list[ModuleType]:
            return discovery.discover(packages() if callable(packages) else packages, related_name)

        if force:
            find()
        else:
            self._discoveries.append(find)

    def import_default_modules(self, more: Iterable[str] = ()) -> None:
        """Import what `include` and `autodiscover_tasks` name, and `more`. Raises what an import raises."""
        discovery.import_all(self, [*self._discoveries], [*self.conf.imports, *self.include, *more])

    # Around submits and attempts

    @cached_property
    def middleware(self) -> MiddlewareChain:
        """What is around submits and attempts: first what is installed, then what was added."""
        chain = MiddlewareChain()
        for one in installed():
            chain.add(one)
        return chain

    def add_middleware(self, middleware: Middleware) -> None:
        """Put it around submits and attempts, inside of what is there. Raises ImproperlyConfigured if it is none."""
        self.middleware.add(middleware)

    # The command line

    def start(self, argv: Sequence[str] | None = None) -> None:
        """Run the command line `caraway` with these arguments, by default this program's; it ends the program."""
        command_line.start(self, argv)

    def worker_main(self, argv: Sequence[str] | None = None) -> None:
        """Run `caraway worker` for this app, an attribute of a module. Raises ValueError where argv says otherwise."""
        command_line.worker_main(self, argv)

    # Beside that

    def bugreport(self) -> str:
        """Versions, platform, how the gateway is reached and what is set, secrets masked; no gateway is asked."""
        settings = self.client_settings
        shown = {
            one.key: one.show(value) for one in definitions(ClientSettings) if (value := getattr(settings, one.field))
        }
        shown |= {name: repr(value) for name, value in sorted(self.conf.table().items())}
        return bug_report.text_of(settings.target, shown)

    def now(self) -> datetime:
        """The time, in the app's zone."""
        return datetime.now(self.timezone)

    @cached_property
    def oid(self) -> str:
        """An id of this app in this process."""
        return uuid7()


Celery = Caraway
"""The same, by the name that Celery's programs use."""
