"""Three ways to call a task: `delay` is short, `apply_async` takes options, and a plain call runs it here.

You should see:
    delay: 4
    apply_async: 4
    called: 4
    by its name: 4
"""

from tasks import add, app

print("delay:", add.delay(2, y=2).get(timeout=30))
print("apply_async:", add.apply_async((2,), {"y": 2}, priority=7).get(timeout=30))
print("called:", add(2, 2))
# A program that does not have the task's code can call it all the same.
print("by its name:", app.send_task("tasks.add", (2, 2)).get(timeout=30))
