"""A worker takes tasks from the gateway, and runs them. SIGTERM ends it once what it has is done.

You should see:
    it is ready
    it ended with 0
"""

import subprocess

worker = subprocess.Popen(
    ["caraway", "worker", "-A", "tasks", "-c", "1", "-Q", "nothing", "-l", "INFO"],
    stderr=subprocess.STDOUT,
    stdout=subprocess.PIPE,
    text=True,
)
assert worker.stdout is not None
for line in worker.stdout:
    if " ready." in line:
        print("it is ready")
        break
worker.terminate()
for _line in worker.stdout:
    pass  # what it has to say at its end
print("it ended with", worker.wait())
