"""`base=` gives one task a class of its own; `app.register_task` takes a class with a method `run`.

You should see:
    Base
    shop.Double gives 4
"""

from tasks import app, greet

from caraway import Task


class Double(Task[[int], int]):
    """A task that is a class."""

    name = "shop.Double"

    def run(self, x: int) -> int:
        """Double a number."""
        return 2 * x


print(type(greet).__mro__[0].__name__)
double = app.register_task(Double())
print(double.name, "gives", double(2))
