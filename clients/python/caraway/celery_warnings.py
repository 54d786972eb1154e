"""Celery's warnings, and what ends its workers: for programs that filter or name them. Nothing here gives them."""

__all__ = [
    "AlwaysEagerIgnored",
    "CDeprecationWarning",
    "CPendingDeprecationWarning",
    "CeleryWarning",
    "DuplicateNodenameWarning",
    "DuplicateTaskNameWarning",
    "FixupWarning",
    "NotConfigured",
    "SecurityWarning",
    "WorkerShutdown",
    "WorkerTerminate",
]


class CeleryWarning(UserWarning):
    """Base of the others."""


class AlwaysEagerIgnored(CeleryWarning):
    """A call is sent, whatever `task_always_eager` says."""


class DuplicateNodenameWarning(CeleryWarning):
    """Several workers have one name."""


class DuplicateTaskNameWarning(CeleryWarning):
    """Several functions have one name."""


class FixupWarning(CeleryWarning):
    """A framework is not set up as it should be."""


class NotConfigured(CeleryWarning):
    """No configuration was found."""


class SecurityWarning(CeleryWarning):
    """Something is not as safe as it could be."""


class CDeprecationWarning(DeprecationWarning):
    """Something will go."""


class CPendingDeprecationWarning(PendingDeprecationWarning):
    """Something will go some day."""


class WorkerShutdown(SystemExit):
    """The process is to end as SIGTERM has it."""


class WorkerTerminate(SystemExit):
    """The process is to end at once."""
