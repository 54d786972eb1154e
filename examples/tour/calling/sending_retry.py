"""A submit that does not reach the gateway is tried again, as `retry_policy` says. No task is made twice by that.

You should see:
    tried 3 times
    tried 1 times
"""

import re

from caraway import Caraway
from caraway.exceptions import OperationalError

app = Caraway("tasks", target="127.0.0.1:1")  # nothing listens there


def tries(error: OperationalError) -> str:
    """Say how often it was tried, which its text tells."""
    found = re.search(r"in (\d+) tries", str(error))
    return found[1] if found else "?"


try:
    app.send_task("tasks.add", (2, 2), retry_policy={"max_retries": 2, "interval_start": 0, "interval_step": 0.1})
except OperationalError as error:
    print("tried", tries(error), "times")
try:
    app.send_task("tasks.add", (2, 2), retry=False)
except OperationalError as error:
    print("tried", tries(error), "times")
