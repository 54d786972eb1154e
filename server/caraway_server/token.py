"""The command `caraway token`."""

import os
from pathlib import Path

import click

from caraway_server.core.tokens import BadTokens, check_name, line_of, new_token


@click.command()
@click.argument("name")
@click.option("--append", type=click.Path(path_type=Path), metavar="FILE", help="Add its line to this file of tokens.")
def token(name: str, append: Path | None) -> None:
    """Make a token for a client or worker, NAME, and the line by which a gateway's file of tokens (--tokens) knows it.

    The token is shown here only: the line holds its hash. With --append nothing but the token is written to stdout.
    """
    try:
        check_name(name)
    except BadTokens as error:
        raise click.UsageError(str(error)) from error
    made = new_token()
    line = line_of(name, made)
    if append is None:
        click.echo(
            f"token, for the caller (CARAWAY_TOKEN):\n  {made}\nline, for the gateway's file of tokens:\n  {line}"
        )
        return
    try:
        _append(append, line)
    except OSError as error:
        raise click.ClickException(f"{append} can't be written: {error.strerror or error}") from error
    click.echo(made)


def _append(path: Path, line: str) -> None:
    """In one write, which a gateway that reads meanwhile sees whole."""
    with open(path, "a+b", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 1, 0))
        ended = file.read(1) in (b"", b"\n")
        file.write(f"{'' if ended else os.linesep}{line}\n".encode())
