"""Hooks of a task's class run in the worker: before an attempt, and after it, by how it ended.

You should see:
    before_start
    on_success 0.5
    after_return SUCCESS
    before_start
    on_failure division by zero
    after_return FAILURE
"""

import tempfile
from pathlib import Path

from tasks import hooked

with tempfile.TemporaryDirectory() as folder:
    notes = Path(folder, "notes")
    for number in (2, 0):
        hooked.delay(str(notes), number).get(timeout=30, propagate=False)
    print(notes.read_text(), end="")
