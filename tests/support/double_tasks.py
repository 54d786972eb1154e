"""What a Python worker runs beside workers in other languages."""

from caraway import Caraway

app = Caraway("python")


@app.task(name="python.double")
def double(number: int) -> int:
    return number * 2
