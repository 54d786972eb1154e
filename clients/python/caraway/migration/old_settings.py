"""Settings by the names that they had before Celery 4, such as CELERYD_CONCURRENCY, which Celery still takes."""

from typing import Final

from caraway.migration.names import find

__all__ = ["current_name"]

_PREFIXES: Final = ("celery_", "celeryd_", "celerybeat_")
_NAMESPACES: Final = {
    "celery_": ("", "task_", "worker_", "result_"),
    "celeryd_": ("worker_", ""),
    "celerybeat_": ("beat_",),
}
_OTHERS: Final = {
    "celery_eager_propagates_exceptions": "task_eager_propagates",
    "celery_max_cached_results": "result_cache_max",
    "celery_message_compression": "task_compression",
    "celery_result_db_short_lived_sessions": "database_short_lived_sessions",
    "celery_result_db_tablenames": "database_table_names",
    "celery_result_dburi": "database_url",
    "celery_result_engine_options": "database_engine_options",
    "celery_send_events": "worker_send_task_events",
    "celery_send_task_sent_event": "task_send_sent_event",
    "celery_task_result_expires": "result_expires",
}


def current_name(written: str) -> str:
    """Give today's name of a setting; what is no old name is only put in lower case."""
    name = written.lower()
    if name in _OTHERS:
        return _OTHERS[name]
    prefix = next((each for each in _PREFIXES if name.startswith(each)), "")
    if not written.isupper() or not prefix:
        return name
    candidates = (namespace + name.removeprefix(prefix) for namespace in _NAMESPACES[prefix])
    return next((each for each in candidates if find("setting", each)), name)
