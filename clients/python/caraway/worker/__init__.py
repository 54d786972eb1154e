"""What programs import of a worker, by Celery's names."""

from caraway.worker.instance import WorkerInstance

__all__ = ["WorkerInstance"]
