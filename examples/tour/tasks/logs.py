"""A task's logger says which task speaks. What tasks print is logged too.

You should see:
    the worker's log has: tasks.add[...]: adding 2 and 2
"""

import re
import subprocess

from tasks import add

worker = subprocess.Popen(
    ["caraway", "worker", "-A", "tasks", "-Q", "logged", "-c", "1", "-l", "INFO"],
    stderr=subprocess.STDOUT,
    stdout=subprocess.PIPE,
    text=True,
)
add.apply_async((2, 2), queue="logged").get(timeout=30)
worker.terminate()
log, _ = worker.communicate()
said = re.search(r"tasks\.add\[\S+\]: adding.*", log)
print("the worker's log has:", said[0] if said else "nothing of it")
