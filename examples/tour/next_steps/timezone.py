"""Every instant has a time zone, so none is to be set: the gateway's clock decides when a task is due.

You should see:
    4
    told in UTC
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from proj.tasks import add

soon = datetime.now(ZoneInfo("Pacific/Auckland")) + timedelta(seconds=0.2)
result = add.apply_async((2, 2), eta=soon)
print(result.get(timeout=30))
print("told in", result.date_done.tzname() if result.date_done else "nothing")
