"""A task is known by its module and function, or by a name of its own. Workers find it by that, wherever its code is.

You should see:
    tasks.add
    any.name.at.all: found
    two functions claim the task name...
"""

from tasks import add, app, named

from caraway.exceptions import ImproperlyConfigured

print(add.name)
print(f"{named.name}:", app.send_task("any.name.at.all").get(timeout=30))
try:
    app.task(name=add.name)(lambda x, y: x)
except ImproperlyConfigured as error:
    print(error)
