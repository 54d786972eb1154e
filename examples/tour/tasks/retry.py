"""`self.retry` raises Retry, so nothing after it runs. While the task waits it is in RETRY, with the error so far.

You should see:
    RETRY: the line is busy
"""

import time

from tasks import patient

result = patient.delay(3600)
while result.state != "RETRY":
    time.sleep(0.02)
print(f"{result.state}: {result.result}")
result.revoke()
