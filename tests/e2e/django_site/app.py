"""The app."""

import os

from caraway import Caraway

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "e2e.django_site.settings")

app = Caraway("site")
app.config_from_object("django.conf:settings", namespace="CARAWAY")
app.autodiscover_tasks()
