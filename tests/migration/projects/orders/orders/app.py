"""The app of a shop's orders, as a user of Celery would write it."""

from celery import Celery

app = Celery("orders", broker="redis://localhost:6379/0", backend="redis://localhost:6379/1", include=["orders.tasks"])
app.config_from_object("orders.celeryconfig")
app.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=1,
)
