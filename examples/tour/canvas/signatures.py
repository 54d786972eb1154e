"""A signature holds a task's name, arguments and options. It is a dict, so it can be sent, and made of a dict again.

You should see:
    tasks.add(2, 2)
    by name, with an option: 4
    args (2, 2), kwargs {}, options {'countdown': 0.1}
    read again: 4
    called here and now: 4
"""

import json

from tasks import add, app

from caraway import signature

print(add.s(2, 2))
named = app.signature("tasks.add", (2, 2), countdown=0.1)
print("by name, with an option:", named.delay().get(timeout=30))
print(f"args {named.args}, kwargs {named.kwargs}, options {named.options}")
read = signature(json.loads(json.dumps(add.s(2, 2))), app=app)
print("read again:", read.apply_async().get(timeout=30))
print("called here and now:", add.s(2, 2)())
