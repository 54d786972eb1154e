"""The configuration of an app, `app.conf`: every setting by Celery's name, whatever it was set by."""

from caraway.conf.configuration import Configuration
from caraway.conf.options import OPTIONS, Option
from caraway.conf.setting import FromConf, app_setting, task_setting

__all__ = ["OPTIONS", "Configuration", "FromConf", "Option", "app_setting", "task_setting"]
