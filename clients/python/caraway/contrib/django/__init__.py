"""What an app does by itself where the environment says DJANGO_SETTINGS_MODULE. See docs/django.md."""

from caraway.contrib.django.connections import CloseConnections
from caraway.contrib.django.fixup import install
from caraway.contrib.django.task import DjangoTask

__all__ = ["CloseConnections", "DjangoTask", "install"]
