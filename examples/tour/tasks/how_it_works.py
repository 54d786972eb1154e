"""An app keeps a registry of tasks by name. A task message has only the name and arguments: the code is the worker's.

You should see:
    True
    caraway.exceptions.NotRegistered: no task is registered as 'tasks.unheard_of'
"""

from tasks import add, app

from caraway.exceptions import NotRegistered

print(app.tasks["tasks.add"] is add)
try:
    app.find_task("tasks.unheard_of")
except NotRegistered as error:
    print(f"caraway.exceptions.{type(error).__name__}: {error.args[0]}")
