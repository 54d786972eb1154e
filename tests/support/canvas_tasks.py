"""Tasks that the tests of canvases are made of, for an app that runs them here and one that sends them."""

from types import SimpleNamespace
from typing import Any

from caraway import Caraway
from caraway.exceptions import Ignore


class BrokenError(Exception):
    """What `fail` raises."""


def register(app: Caraway) -> SimpleNamespace:
    """Make the tasks, named proj.*, of an app."""

    def task(**options: Any) -> Any:
        def made(function: Any) -> Any:
            return app.task(name=f"proj.{function.__name__}", **options)(function)

        return made

    @task()
    def add(x: Any, y: Any = 0) -> Any:
        return x + y

    @task()
    def same(x: Any) -> Any:
        return x

    @task()
    def total(numbers: Any) -> Any:
        return sum(numbers)

    @task()
    def pair(*args: Any, **kwargs: Any) -> Any:
        return [list(args), kwargs]

    @task()
    def fail(*args: Any) -> None:
        raise BrokenError(*args)

    @task()
    def ignored(*args: Any) -> None:
        raise Ignore

    @task()
    async def double(x: Any) -> Any:
        return 2 * x

    @task(bind=True, max_retries=2, default_retry_delay=0.01)
    def third_time(self: Any, x: Any) -> Any:
        if self.request.retries < 2:
            raise self.retry()
        return x

    return SimpleNamespace(
        add=add, same=same, total=total, pair=pair, fail=fail, ignored=ignored, double=double, third_time=third_time
    )
