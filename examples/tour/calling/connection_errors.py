"""When the gateway stays away, OperationalError says so at the call: nothing is lost in between.

You should see:
    not sent: OperationalError
    sent later: 4
"""

import os

from tasks import add, app

from caraway.exceptions import OperationalError

target = os.environ.get("CARAWAY_TARGET")
app.retarget("127.0.0.1:1")  # as if it were down
try:
    add.apply_async((2, 2), retry=False)
except OperationalError as error:
    print("not sent:", type(error).__name__)
app.retarget(target)
print("sent later:", add.delay(2, 2).get(timeout=30))
