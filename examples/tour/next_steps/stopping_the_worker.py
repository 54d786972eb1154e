"""SIGTERM: the worker takes no more, what runs is ended, and what it had not begun goes back to the gateway, unharmed.

You should see:
    it runs
    the worker ended with 0, and the task with: rested
"""

import subprocess
import time

from proj.tasks import nap

worker = subprocess.Popen(
    ["caraway", "worker", "-A", "proj.app", "-I", "proj.tasks", "-Q", "stopping", "-c", "1"],
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
result = nap.apply_async((1,), queue="stopping")
while result.state != "STARTED":
    time.sleep(0.05)
print("it runs")
worker.terminate()
print(f"the worker ended with {worker.wait()}, and the task with:", result.get(timeout=30))
