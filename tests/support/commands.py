"""The commands of `caraway`, as click knows them."""

import click

from caraway.cli import main


def command_at(words: list[str]) -> click.Command:
    """The command of these words, without `caraway`. Raises LookupError."""
    found: click.Command = main
    for word in words:
        if isinstance(found, click.Group):
            sub = found.get_command(click.Context(found), word)
        else:  # a method, as of `caraway inspect`
            choices = [param.type.choices for param in found.params if isinstance(param.type, click.Choice)]
            sub = found if any(word in known for known in choices) else None
        if sub is None:
            raise LookupError(f"there is no command {' '.join(words)}")
        found = sub
    return found


def options_at(words: list[str]) -> dict[str, click.Option]:
    """A command's options by each of their names. Raises LookupError."""
    options = [param for param in command_at(words).params if isinstance(param, click.Option)]
    return {name: option for option in options for name in (*option.opts, *option.secondary_opts)}
