"""What every operator's command shares: `--target`, `--json`, the connection, and exit codes."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import click

from caraway.commands.output import Output, printable
from caraway.commands.settings_options import WrongSettings, with_settings
from caraway.exceptions import CarawayError, OperationalError
from caraway.gateway import Gateway
from caraway.settings import ClientSettings, InvalidSettings
from caraway.tls_advice import tls_advice

__all__ = ["CHUNK", "FAILED", "Session", "chunks", "exit_if", "operator_command"]

FAILED: Final = 1
"""Exit code, as of click.ClickException: a task failed or was not found, or something was refused."""
_GATEWAY_AWAY: Final = 3

CHUNK: Final = 50
"""Ids in a call, and the server's usual page: small enough for any max_batch_size that makes sense."""

_RETRY_FOR: Final = 5.0
"""Seconds: who types a command would rather know than wait."""


class _GatewayAway(click.ClickException):
    """One line on stderr, and the exit code of its own."""

    exit_code = _GATEWAY_AWAY


class Session:
    """One run of a command: its client, and where it writes."""

    def __init__(self, settings: ClientSettings, out: Output) -> None:
        """Connects at the first call."""
        self.target = settings.target
        self._settings = settings
        self.out = out
        self._client: Gateway | None = None

    @property
    def client(self) -> Gateway:
        """The client of the gateway."""
        if self._client is None:
            # Here and not above: grpc takes 80 ms to load, which `--help` and completion need not pay.
            from caraway.client import Client  # noqa: PLC0415

            self._client = Client(self.target, credentials=self._settings, retry_for=_RETRY_FOR)
        return self._client

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()


def operator_command(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """Make a command of a function that takes a Session and its own parameters."""

    def make(function: Callable[..., None]) -> click.Command:
        @with_settings(ClientSettings)
        @functools.wraps(function)
        def run(settings: ClientSettings, as_json: bool, **parameters: Any) -> None:
            session = Session(settings, Output(as_json))
            with contextlib.closing(session), _one_line_errors(settings.target):
                function(session, **parameters)

        json_option = click.option("--json", "as_json", is_flag=True, help="JSON: one document, or one object a line.")
        return click.command(name)(json_option(run))

    return make


@contextlib.contextmanager
def _one_line_errors(target: str) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if error.reason:
            text = f"the gateway at {target} can't answer now ({error.reason}): {_last_cause(error)}"
        else:
            text = (
                f"no gateway answers at {target}: start one (caraway server), or name another by --target or "
                "CARAWAY_TARGET"
            )
            if advice := tls_advice(str(error)):
                text += f"; {advice} ({_last_cause(error)})"
        raise _GatewayAway(printable(text)) from error
    except InvalidSettings as error:
        raise WrongSettings(error) from error
    except CarawayError as error:
        raise click.ClickException(printable(error)) from error


def _last_cause(error: OperationalError) -> BaseException:
    return error.__cause__ if isinstance(error.__cause__, OperationalError) else error


def chunks(ids: Sequence[str]) -> Iterator[list[str]]:
    """Cut ids into calls that the gateway takes; each id once."""
    unique = list(dict.fromkeys(ids))
    for start in range(0, len(unique), CHUNK):
        yield unique[start : start + CHUNK]


def exit_if(failed: bool) -> None:
    """End the command with the exit code of failure, its answer being written."""
    if failed:
        raise click.exceptions.Exit(FAILED)
