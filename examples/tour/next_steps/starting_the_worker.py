"""A worker says what it is when it starts: its name, its app, its queues, and the tasks that it knows.

You should see:
    proj
    extra
    proj.tasks.add, proj.tasks.mul, proj.tasks.nap, proj.tasks.xsum
    ready
"""

import subprocess

worker = subprocess.Popen(
    ["caraway", "worker", "-A", "proj.app", "-I", "proj.tasks", "-Q", "extra", "-c", "1", "-l", "INFO"],
    stderr=subprocess.STDOUT,
    stdout=subprocess.PIPE,
    text=True,
)
assert worker.stdout is not None
said = ""
for line in worker.stdout:
    said += line
    if " ready." in line:
        break
worker.terminate()
worker.communicate()
for word in ("proj", "extra"):
    print(word if word in said else f"no {word}")
print(", ".join(sorted(f"proj.tasks.{name}" for name in ("add", "mul", "nap", "xsum") if f"proj.tasks.{name}" in said)))
print("ready" if " ready." in said else "not ready")
