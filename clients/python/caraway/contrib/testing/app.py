"""TestApp: an app with a gateway of its own, inside of the test's process."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final

from caraway.app import Caraway
from caraway.contrib.testing.background import background
from caraway.contrib.testing.parts import part
from caraway.current import kept, set_made
from caraway.settings import ClientSettings

__all__ = ["TestApp", "Trap", "in_process_gateway", "setup_default_app"]

_IN_PROCESS: Final = "memory://"


class _Gateway:
    """A gateway in this process, from its start to `stop`."""

    def __init__(self) -> None:
        background.enter()
        try:
            self._gateway = part("gateway")()
            self.target: str = background.run(self._gateway.start())
        except BaseException:
            background.leave()
            raise

    def stop(self) -> None:
        background.run(self._gateway.stop())
        background.leave()


class TestApp(Caraway):
    """An app for tests. What names no gateway gets one of its own when it is first needed; `close` ends that.

    with TestApp() as app:
        ...
    """

    __test__ = False  # it is none, whatever pytest thinks of its name

    def __init__(self, name: str | None = None, config: Mapping[str, Any] | None = None, **options: Any) -> None:
        """`config` and `options` are settings, and arguments of a Caraway; "memory://" is a gateway of its own.

        Raises as Caraway.
        """
        super().__init__(name or "caraway.tests", **_settings({**(config or {}), **options}))
        self._own: _Gateway | None = None
        self._starting = threading.Lock()

    @property
    def client_settings(self) -> ClientSettings:
        """How the gateway is reached; starts one. Raises ImproperlyConfigured where that is not installed."""
        with self._starting:
            if self._client_settings is None:
                # What a test says goes before the environment: that may name the gateway of real work.
                self._given["target"] = self._given["target"] or self.conf.broker_url
                if not self._given["target"]:
                    self._own = _Gateway()
                    self._client_settings = ClientSettings(target=self._own.target)
        return super().client_settings

    def close(self) -> None:
        """Close the connection, and end the gateway that this app has started, with all that it holds."""
        super().close()
        own, self._own = self._own, None
        if own is not None:
            self.retarget(None)
            own.stop()

    def __enter__(self) -> "TestApp":
        """Use it for a block."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _exc: BaseException | None, _tb: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


class Trap:
    """Stands where the current app would be, for tests of code that is to name its app: it can't be used."""

    def __getattr__(self, name: str) -> Any:
        """Raise RuntimeError."""
        raise RuntimeError(f"the test depends on the current app (its {name}): name the app")


@contextmanager
def setup_default_app(app: Caraway, use_trap: bool = False) -> Iterator[None]:
    """Have `app` be the current one for a block, or have the use of a current app be an error."""
    with kept():
        set_made(Trap() if use_trap else app)
        yield


@contextmanager
def in_process_gateway(*apps: Caraway) -> Iterator[str]:
    """Run a gateway in this process for a block, and give its address; these apps use it meanwhile.

    For tests of an app that stands in its own module: its settings name another gateway, or none.
    """
    gateway = _Gateway()
    try:
        for app in apps:
            app.retarget(gateway.target)
        yield gateway.target
    finally:
        for app in apps:
            app.retarget(None)
        gateway.stop()


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if value != _IN_PROCESS}
