"""An app's settings are arguments of `Caraway()`. Where the gateway is may stand in the environment, too.

You should see:
    queue: quick
    arguments are written as msgpack
    no such setting: Caraway() has no option 'task_serialiser'; did you mean 'task_serializer'?
    gateway: elsewhere:50051
"""

from caraway import Caraway

app = Caraway("shop", target="elsewhere:50051", default_queue="quick", task_serializer="msgpack")
print("queue:", app.default_queue)
print("arguments are written as", app.task_serializer)
try:
    Caraway("shop", task_serialiser="msgpack")  # type: ignore[call-arg]
except TypeError as error:
    print("no such setting:", error)
print("gateway:", app.target)
