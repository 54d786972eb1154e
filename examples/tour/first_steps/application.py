"""An app holds tasks, and knows the gateway, which is what a broker and a result backend are to Celery.

You should see:
    the app: <Caraway tasks>
    its tasks: tasks.add, tasks.divide
    a task is a function still: 4
"""

from tasks import add, app

print("the app:", app)
print("its tasks:", ", ".join(name for name in sorted(app.tasks) if not name.startswith("caraway.")))
print("a task is a function still:", add(2, 2))
