"""Who works, and at what: `app.control` asks the workers, `caraway inspect` and `caraway workers` read the store.

You should see:
    they say pong: True
    one serves our queue: True
    one runs our task: True
"""

import time

from proj.app import app
from proj.tasks import nap

print("they say pong:", all(reply == {"ok": "pong"} for one in app.control.ping() for reply in one.values()))
queues = app.control.inspect().active_queues() or {}
print("one serves our queue:", any(queue["name"] == "next_steps" for served in queues.values() for queue in served))
result = nap.delay(60)
while result.state != "STARTED":
    time.sleep(0.05)
active = app.control.inspect().active() or {}
print("one runs our task:", any(task["id"] == result.id for tasks in active.values() for task in tasks))
result.revoke(terminate=True, signal="SIGKILL")
