"""Hooks: what happens to an app, told to receivers, or to a subclass's methods of those names."""

from typing import Any, Final

from caraway.dispatch import Signal

__all__ = ["Hooks"]

_NAMES: Final = ("on_configure", "on_after_configure", "on_after_finalize")


class Hooks:
    """Base of apps. `@app.on_after_finalize.connect` takes receivers; a subclass may have a method instead."""

    on_configure: Signal
    """The configuration is about to be read."""
    on_after_configure: Signal
    """It was read; receivers get it as `source`."""
    on_after_finalize: Signal
    """All tasks are there."""

    def _make_hooks(self) -> None:
        for name in _NAMES:
            if not callable(getattr(self, name, None)):
                setattr(self, name, Signal(f"app.{name}"))

    def _call_hook(self, name: str, **told: Any) -> None:
        hook = getattr(self, name)
        if isinstance(hook, Signal):
            hook.send(sender=self, **told)
        else:
            hook(**told)

    def on_init(self) -> None:
        """Called when the app is made; a subclass may do something then."""
