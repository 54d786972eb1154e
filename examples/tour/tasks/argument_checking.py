"""Arguments are checked at the call, where the mistake is; `typing=False` leaves that to the worker.

You should see:
    tasks.add() missing a required argument: 'y'
"""

from tasks import add

try:
    add.delay(2)  # type: ignore[call-arg]
except TypeError as error:
    print(error)
