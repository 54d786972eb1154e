"""Settings; those that begin with CARAWAY_ are the app's."""

import os

SECRET_KEY = "for tests"
INSTALLED_APPS = ["e2e.django_site.pages", "e2e.django_site.plain"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["DATABASE"],
        "CONN_MAX_AGE": int(os.environ.get("CONN_MAX_AGE", "0")),
    }
}

CARAWAY_BROKER_URL = os.environ["SITE_GATEWAY"]
CARAWAY_TASK_DEFAULT_QUEUE = "site"
