"""In Celery tasks of a chord must not ignore their results. Here such a task hands on None, and the chord ends.

You should see:
    ['kept', None]
"""

from tasks import app, note

from caraway import chord

body = app.signature("caraway.accumulate")  # gives the list that it gets
print(chord([note.s("kept"), note.s("ignored").set(ignore_result=True)], body)().get(timeout=30))
