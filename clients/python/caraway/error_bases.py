"""What all errors of Caraway are, and what they are in Celery's words."""

__all__ = ["BackendError", "CarawayError", "SecurityError", "TaskError"]


class CarawayError(Exception):
    """Base of all errors of Caraway."""


class TaskError(CarawayError):
    """Base of errors that are about one task, as Celery has it."""


class BackendError(Exception):
    """Results can't be kept or read now, as Celery has it: the gateway keeps them, so an OperationalError is one."""


class SecurityError(CarawayError):
    """Who calls may not, as Celery has it: an Unauthenticated is one."""
