"""`-D` sends a worker to the background; its pid file says which process it is. (Or let systemd: docs/deploy.md.)

You should see:
    4
    its pid file is there: True
    and gone with it: True
"""

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from proj.tasks import add

with tempfile.TemporaryDirectory() as folder:
    pid_file, log = Path(folder, "worker.pid"), Path(folder, "worker.log")
    command = ["caraway", "worker", "-A", "proj.app", "-I", "proj.tasks", "-Q", "background", "-c", "1"]
    subprocess.run([*command, "-D", "--pidfile", str(pid_file), "--logfile", str(log)], check=True)
    print(add.apply_async((2, 2), queue="background").get(timeout=30))
    print("its pid file is there:", pid_file.exists())
    os.kill(int(pid_file.read_text()), signal.SIGTERM)
    while pid_file.exists():
        time.sleep(0.05)
    print("and gone with it:", not pid_file.exists())
