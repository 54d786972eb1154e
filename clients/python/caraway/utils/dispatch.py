"""Signal, where Celery's programs import it from: `celery.utils.dispatch`."""

from caraway.dispatch import Signal

__all__ = ["Signal"]
