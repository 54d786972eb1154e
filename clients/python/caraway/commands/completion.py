"""`caraway completion`."""

import click
from click.shell_completion import get_completion_class

__all__ = ["completion_command"]


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion_command(context: click.Context, shell: str) -> None:
    """Write what makes a shell complete commands and options: eval it in the shell's startup file."""
    made = get_completion_class(shell)
    if made is None:
        raise click.ClickException(f"click does not know {shell}")
    click.echo(made(context.find_root().command, {}, "caraway", "_CARAWAY_COMPLETE").source())
