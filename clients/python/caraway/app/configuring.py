"""Configuring: an app's settings, and where they come from."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from caraway.app.hooks import Hooks
from caraway.conf import Configuration, app_setting, sources
from caraway.conf.configuration import of_variable
from caraway.conf.names import canonical, is_setting, misspelt
from caraway.content import Content
from caraway.exceptions import ImproperlyConfigured
from caraway.send_policy import SendPolicy, send_policy
from caraway.spec import CallOptions

__all__ = ["Configuring"]

_UNUSED: Final[Mapping[str, str]] = {
    "loader": "modules of tasks are named by include= and autodiscover_tasks()",
    "backend": "the gateway keeps the results of all tasks",
    "amqp": "there is one contract, which the SDK speaks",
    "events": "there are no events to send; caraway watch follows tasks",
    "log": "the signals setup_logging and after_setup_logger change how a worker logs",
    "control": "app.control asks and commands workers",
    "tasks": "an app has its own registry",
    "fixups": "an app is one of a Django project where the environment says DJANGO_SETTINGS_MODULE",
    "strict_typing": "arguments are checked at the call; @app.task(typing=False) leaves that out",
}
"""Arguments of Celery's constructor that are taken and change nothing, with what stands in their place."""

NO_SETTINGS: Final = _UNUSED.keys()


class Configuring(Content, Hooks):
    """Base of apps."""

    default_queue: str = app_setting("task_default_queue")
    unknown_task: str = app_setting("unknown_task")
    task_publish_retry: bool = app_setting("task_publish_retry")
    task_publish_retry_policy: Mapping[str, Any] = app_setting("task_publish_retry_policy")
    task_always_eager: bool = app_setting("task_always_eager")
    task_eager_propagates: bool = app_setting("task_eager_propagates")
    task_store_eager_result: bool = app_setting("task_store_eager_result")
    include: tuple[str, ...] = app_setting("include")

    _derived: tuple[CallOptions, SendPolicy | None] | None = None

    def _start_configuring(self, settings: Mapping[str, Any], source: Any, namespace: str | None) -> None:
        """Take the constructor's settings, and where others come from."""
        self._conf = Configuration(self._on_conf_load, self._on_conf_loaded, self._on_conf_change)
        self.namespace = namespace
        self._conf.update(_known(settings))
        if source is not None:
            self.config_from_object(source)

    @property
    def conf(self) -> Configuration:
        """The settings, by Celery's names."""
        return self._conf

    @conf.setter
    def conf(self, settings: Mapping[str, Any]) -> None:
        """Take these in place of all that was set."""
        self._conf = Configuration(self._on_conf_load, self._on_conf_loaded, self._on_conf_change)
        self._conf.update(settings)

    def _on_conf_load(self) -> None:
        self._call_hook("on_configure")

    def _on_conf_loaded(self) -> None:
        self._call_hook("on_after_configure", source=self._conf)

    def _on_conf_change(self) -> None:
        self._derived = None

    @property
    def _default_options(self) -> CallOptions:
        return self._for_calls[0]

    @property
    def _send_policy(self) -> SendPolicy | None:
        return self._for_calls[1]

    @property
    def _for_calls(self) -> tuple[CallOptions, SendPolicy | None]:
        """What the settings say of every call: options that it does not name, and how often it is tried."""
        derived = self._derived
        if derived is None:
            policy = send_policy(self.task_publish_retry, self.task_publish_retry_policy)
            derived = self._derived = (self._options_of_calls(), policy)
        return derived

    def _options_of_calls(self) -> CallOptions:
        options: CallOptions = {}
        if self.conf.result_expires is not None:
            options["result_ttl"] = self.conf.result_expires
        return options

    def config_from_object(
        self, obj: Any, silent: bool = False, force: bool = False, namespace: str | None = None
    ) -> None:
        """Take the settings of a module, class, object or dict, or of the name of one: "proj.config", "proj:Config".

        They are read when a setting is first needed, or now with `force`. Of a `namespace` "CELERY" they are what
        begins with CELERY_. `silent`: where there is none, none are taken. Raises ImproperlyConfigured otherwise, and
        for values that can't be.
        """
        prefix = self.namespace if namespace is None else namespace

        def read() -> Mapping[str, Any]:
            try:
                source = sources.named(obj) if isinstance(obj, str) else obj
            except (ImproperlyConfigured, ImportError):
                if silent:
                    return {}
                raise
            return sources.read(source, prefix)

        self._conf.read_from(read)
        if force:
            len(self._conf)

    def config_from_envvar(self, variable_name: str, silent: bool = False, force: bool = False) -> bool:
        """Take the settings of the module that an environment variable names. Whether it names one.

        Raises ImproperlyConfigured where it is not set, unless `silent`.
        """
        name = of_variable(variable_name, silent=silent)
        if not name:
            return False
        self.config_from_object(name, silent=silent, force=force)
        return True

    def config_from_cmdarg(self, argv: Iterable[str], namespace: str = "celery") -> None:
        """Set what a command line says as NAME=VALUE; ".NAME" is of the namespace. Raises ValueError for others."""
        self._conf.update(sources.from_arguments(argv, namespace))

    config_from_cmdline = config_from_cmdarg

    @property
    def timezone(self) -> tzinfo:
        """The zone of `now()`: what the setting says, else UTC; the machine's where `enable_utc` is False.

        Raises ImproperlyConfigured for the name of a zone that is not known here.
        """
        zone = self.conf.timezone
        if zone is None:
            return UTC if self.conf.enable_utc else cast(tzinfo, datetime.now().astimezone().tzinfo)
        if isinstance(zone, tzinfo):
            return zone
        try:
            return UTC if zone == "UTC" else ZoneInfo(zone)
        except (ValueError, TypeError, OSError, ZoneInfoNotFoundError) as error:
            raise ImproperlyConfigured(
                f"timezone can't be {zone!r}: write the name of a zone, such as Europe/Berlin, that this machine knows "
                "(if it knows none, install tzdata)"
            ) from error

    def uses_utc_timezone(self) -> bool:
        """Whether that is UTC."""
        return self.timezone == UTC

    def add_defaults(self, fun: Mapping[str, Any] | Callable[[], Mapping[str, Any]]) -> None:
        """Add defaults, below all that is set; a function that gives them is called when they are first needed."""
        self._conf.add_defaults(fun)


def _known(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The constructor's settings. Raises TypeError for what is none."""
    taken = {}
    for written, value in settings.items():
        name = canonical(written)
        if not is_setting(name):
            hint = misspelt(name)
            raise TypeError(
                f"Caraway() has no option {written!r}"
                + (f"; did you mean {hint!r}?" if hint else "; see docs/app-settings.md")
            )
        taken[name] = value
    return taken


def unused_arguments(given: Mapping[str, Any]) -> dict[str, str]:
    """Of arguments of the constructor those that change nothing, with what stands in their place."""
    return {name: _UNUSED[name] for name, value in given.items() if name in _UNUSED and value is not None}
