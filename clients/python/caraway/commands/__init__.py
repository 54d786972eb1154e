"""The operator's subcommands of `caraway`, one file a group. Loading them loads no grpc; running them does."""

__all__: list[str] = []
