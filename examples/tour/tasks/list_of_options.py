"""Options are the decorator's arguments, and the task's attributes. One that there is not is refused.

You should see:
    10 True 6
    @app.task has no option 'prioritty'; did you mean 'priority'?
"""

from tasks import app, with_options

print(with_options.time_limit, with_options.ignore_result, with_options.priority)
try:
    app.task(prioritty=6)(lambda: None)
except TypeError as error:
    print(error)
