"""A task names its queue, and a worker the queues that it serves (-Q). Nothing is declared before.

You should see:
    it waits: PENDING
    a worker that serves the queue takes it: 4
"""

import subprocess

from proj.tasks import add

result = add.apply_async((2, 2), queue="hipri")
print("it waits:", result.state)
worker = subprocess.Popen(
    ["caraway", "worker", "-A", "proj.app", "-I", "proj.tasks", "-Q", "hipri,next_steps", "-c", "1"],
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
print("a worker that serves the queue takes it:", result.get(timeout=30))
worker.terminate()
worker.wait()
