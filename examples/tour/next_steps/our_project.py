"""A project is a package: one module has the app, others the tasks. A task's name is its module and function.

You should see:
    proj.tasks.add
    6
"""

from proj.tasks import add

print(add.name)
print(add.delay(2, 4).get(timeout=30))
