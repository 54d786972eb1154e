"""A task may wait for its time: in the store, where it costs no worker anything and outlives all of them.

You should see:
    it waits as PENDING
    then it ran, not too early: True
    an instant needs a time zone: eta is to carry a time zone...
"""

from datetime import UTC, datetime, timedelta

from tasks import add

began = datetime.now(UTC)
result = add.apply_async((2, 2), countdown=1)
print("it waits as", result.state)
result.get(timeout=30)
ended = result.date_done
print("then it ran, not too early:", ended is not None and ended >= began + timedelta(seconds=1))

add.apply_async((2, 2), eta=datetime.now(UTC) + timedelta(milliseconds=50)).get(timeout=30)
try:
    add.apply_async((2, 2), eta=datetime(2040, 1, 1))
except ValueError as error:
    print("an instant needs a time zone:", error)
