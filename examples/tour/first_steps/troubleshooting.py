"""What goes wrong is said: an unknown id is not PENDING, and a gateway that is away is an error.

You should see:
    there is no task 'mistyped': it was never submitted here, or its result has expired
    no gateway: ...could not be reached...
"""

from tasks import add, app

from caraway import Caraway
from caraway.exceptions import OperationalError, TaskNotFound

try:
    app.AsyncResult("mistyped").get(timeout=5)
except TaskNotFound as error:
    print(error)

elsewhere = Caraway("tasks", target="127.0.0.1:1", task_publish_retry=False)
try:
    elsewhere.send_task(add.name, (1, 1))
except OperationalError as away:
    print("no gateway:", away)
