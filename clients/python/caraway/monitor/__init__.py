"""What gateway and worker share for those who watch them: a listener, bounded labels, the loop's lag, JSON logs."""

__all__: list[str] = []
