"""`hidden` names parameters that no list, log or error shows. The task gets them as they are.

You should see:
    welcome, ada
    lists show: ('ada', ***)
"""

from tasks import app, log_in

from caraway.v1 import task_service_pb2

result = log_in.delay("ada", "secret")
print(result.get(timeout=30))
task = app.gateway.ask("GetTask", task_service_pb2.GetTaskRequest(task_id=result.id)).task
print("lists show:", task.spec.args_repr)
