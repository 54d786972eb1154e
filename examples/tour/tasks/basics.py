"""`@app.task` makes a task of a function. Options go between its brackets.

You should see:
    4
    a task still is its function: 4
    its help: Add two numbers.
"""

from tasks import add

print(add.delay(2, 2).get(timeout=30))
print("a task still is its function:", add(2, 2))
print("its help:", add.__doc__)
