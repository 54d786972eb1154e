"""The app of the tests of the worker's log: LOG_CASE says what it does about the log."""

import logging
import logging.config
import os
import warnings
from typing import Any

from caraway import Caraway, signals
from caraway.app.log import TaskFormatter
from caraway.utils.log import get_task_logger

app = Caraway("logs")
CASE = os.environ.get("LOG_CASE", "")
logger = get_task_logger(__name__)


@app.task(name="speak")
def speak(text: str) -> None:
    logger.warning("task says %s", text)
    logging.getLogger("elsewhere").warning("library says %s", text)
    print("print says", text)
    warnings.warn(f"warning says {text}", stacklevel=2)


if CASE == "formats":
    app.conf.update(worker_log_format="LINE %(message)s", worker_task_log_format="TASK %(task_name)s %(message)s")
elif CASE == "dates":
    app.conf.update(worker_log_datefmt="<%Y>", worker_task_log_datefmt="<in a task>")
elif CASE in ("tasks", "own tasks"):
    if CASE == "own tasks":
        logging.getLogger().addHandler(logging.StreamHandler())

    @signals.after_setup_task_logger.connect
    def tell_tasks(logger: logging.Logger, **_: Any) -> None:
        for handler in logger.handlers:
            handler.setFormatter(TaskFormatter("SAID %(task_name)s[%(task_id)s] %(message)s", use_color=False))

elif CASE == "colors":
    app.conf.worker_log_color = True
elif CASE in ("kept", "hijack"):
    own = logging.StreamHandler()
    own.setFormatter(logging.Formatter("OWN %(message)s"))
    logging.getLogger().addHandler(own)
    app.conf.worker_hijack_root_logger = CASE == "hijack"
elif CASE == "setup":

    @signals.setup_logging.connect
    def set_up(loglevel: int, logfile: str | None, format: str, colorize: bool, **_: Any) -> None:
        line = f"MINE {loglevel} {logfile} {colorize} %(message)s"
        logging.config.dictConfig(
            {
                "version": 1,
                "formatters": {"mine": {"format": line}},
                "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "mine"}},
                "root": {"handlers": ["stderr"], "level": "INFO"},
                "disable_existing_loggers": False,
            }
        )

elif CASE == "after":

    @signals.after_setup_logger.connect
    def after(logger: logging.Logger, **_: Any) -> None:
        for handler in logger.handlers:
            handler.setFormatter(logging.Formatter("AFTER %(message)s"))

    @signals.after_setup_task_logger.connect
    def after_task(logger: logging.Logger, **_: Any) -> None:
        for handler in logger.handlers:
            handler.setFormatter(logging.Formatter("FOR TASKS %(message)s"))

elif CASE == "both":

    @signals.after_setup_logger.connect
    @signals.after_setup_task_logger.connect
    def add(logger: logging.Logger, **_: Any) -> None:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("ADDED %(message)s"))
        logger.addHandler(handler)
