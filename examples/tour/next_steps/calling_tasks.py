"""`delay` is `apply_async` without options. The result knows the task's id, and the states that the task goes through.

You should see:
    the result: 4
    later, and by the queue's name: 4
    its id is my own
    its state: SUCCESS, failed: False
"""

from uuid import uuid4

from proj.tasks import add

print("the result:", add.delay(2, 2).get(timeout=30))
print("later, and by the queue's name:", add.apply_async((2, 2), queue="next_steps", countdown=0.1).get(timeout=30))
mine = f"my-own-{uuid4()}"
result = add.apply_async((2, 2), task_id=mine)
print("its id is my own" if result.id == mine else "its id is another")
result.get(timeout=30)
print(f"its state: {result.state}, failed: {result.failed()}")
