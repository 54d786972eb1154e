"""The app of these tests' worker: `-A cli.sample`."""

from caraway import Caraway

app = Caraway("cli.sample", default_queue="cli")


@app.task(name="cli.add")
def add(x: int, y: int) -> int:
    return x + y


@app.task(name="cli.fail")
def fail(what: str) -> None:
    raise ValueError(what)
