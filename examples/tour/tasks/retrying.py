"""`self.retry` asks for another attempt: the task ends there, and waits in the store for its next one.

You should see:
    done, after 2 retries
    when all are used up its error is raised: the line is busy
"""

from tasks import impatient, patient

print(patient.delay(0).get(timeout=30))
try:
    impatient.delay().get(timeout=30)
except OSError as error:
    print("when all are used up its error is raised:", error)
