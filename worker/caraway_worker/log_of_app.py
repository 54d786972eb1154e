"""The log as the app's configuration and receivers of its signals have it, in each child."""

import logging
import sys

from caraway.app import Caraway
from caraway.signals import after_setup_logger, after_setup_task_logger, setup_logging
from caraway_worker import log
from caraway_worker.options import ChildOptions

_TASKS = logging.getLogger("caraway.task")


def set_up(app: Caraway, options: ChildOptions) -> None:
    """Let the app have its way with the log.

    Receivers of setup_logging do all of it themselves, and what tasks print is left alone. Otherwise the worker's
    handler is given the app's formats, with `worker_hijack_root_logger` the only one; tasks' loggers get one of their
    own; receivers of after_setup_logger and after_setup_task_logger may change what there is; and prints are logged.
    """
    root, ours = logging.getLogger(), log.handler()
    if ours is None:
        return  # the program's own process, in tests: its log is its own
    conf = app.conf
    line, task_line = conf.worker_log_format or log.FORMAT, conf.worker_task_log_format or log.TASK_FORMAT
    colorize = _colorize(conf.worker_log_color, options)
    told = {"loglevel": options.log_level, "logfile": options.log_file or None, "colorize": colorize}
    if setup_logging.receivers:
        root.removeHandler(ours)
        setup_logging.send(sender=None, format=line, **told)
        return
    if options.log_format != "json":
        times, task_times = conf.worker_log_datefmt, conf.worker_task_log_datefmt
        ours.setFormatter(log.LineFormatter(line, task_line, times, task_times, colors=colorize))
    others = [other for other in root.handlers if other is not ours]
    if conf.worker_hijack_root_logger:
        for other in others:
            root.removeHandler(other)
    # As in Celery, what is added to the root logger and to this one has a task's records once. What the app's modules
    # have set up sees all.
    log.add_handler_of_tasks(_TASKS, propagate=bool(others) and not conf.worker_hijack_root_logger)
    after_setup_logger.send(sender=None, logger=root, format=line, **told)
    after_setup_task_logger.send(sender=None, logger=_TASKS, format=task_line, **told)
    if options.stdout_level is not None:
        log.redirect_prints(options.stdout_level)


def _colorize(wanted: bool | None, options: ChildOptions) -> bool:
    """Colours are for a terminal, unless the app says otherwise."""
    if wanted is not None:
        return wanted
    return not options.log_file and sys.__stderr__ is not None and sys.__stderr__.isatty()
