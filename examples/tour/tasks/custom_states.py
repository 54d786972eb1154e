"""`update_state` reports a state of the task's own, with anything that its caller may want to know.

You should see:
    UPLOADING {'file': 'a.txt', 'done': 1}
    UPLOADING {'file': 'b.txt', 'done': 2}
    uploaded: 2
"""

from tasks import upload

result = upload.delay(["a.txt", "b.txt"])
for update in result.updates(timeout=30):
    if update.state == "UPLOADING":
        print(update.state, update.result)
print("uploaded:", result.get(timeout=30))
