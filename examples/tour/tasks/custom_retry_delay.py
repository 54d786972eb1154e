"""The wait is `default_retry_delay`, or what the retry says: `countdown`, or `eta`.

You should see:
    done, after 2 retries
    it waited twice: True
"""

import time

from tasks import patient

began = time.monotonic()
print(patient.delay(0.3).get(timeout=30))
print("it waited twice:", time.monotonic() - began >= 0.6)
