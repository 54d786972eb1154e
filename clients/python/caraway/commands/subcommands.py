"""A group of commands whose first word may be left out."""

import click

__all__ = ["ListByDefault"]


class ListByDefault(click.Group):
    """Runs `list` where no subcommand is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `list` before options that are not the group's own."""
        if ctx.resilient_parsing:  # completion: what is typed next may be a subcommand
            return super().parse_args(ctx, args)
        if not args or (args[0].startswith("-") and args[0] not in self.get_help_option_names(ctx)):
            args = ["list", *args]
        return super().parse_args(ctx, args)
