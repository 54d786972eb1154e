"""What runs here as it stands, and means something else than in Celery."""

from typing import Final

__all__ = ["ENDING_STATE", "ETA", "LATE", "NAIVE_ETA", "PRIORITY", "UNKNOWN_ID"]

LATE: Final = (
    "acknowledged late by default: it runs again when its worker was lost; acks_late=False where it must not run twice"
)
UNKNOWN_ID: Final = "the state of an id that the gateway does not know is an error, TaskNotFound, and not PENDING"
ENDING_STATE: Final = (
    "a task can't say that it has ended, which is refused: return, or raise the error, Ignore or Reject"
)
ETA: Final = "eta is to carry a time zone; one without is refused with ValueError"
NAIVE_ETA: Final = "this instant carries no time zone and is refused: datetime.now(timezone.utc)"
PRIORITY: Final = "0 to 9, higher first, on every store, and 4 without one; Celery on Redis has 0 first"
