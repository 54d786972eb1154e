from datetime import UTC, datetime, timedelta

from celery import shared_task
from celery.schedules import crontab
from django.utils import timezone

NIGHTLY = crontab(hour=3)


@shared_task(rate_limit="10/m")
def publish(post_id):
    return post_id


def plan(post_id, when):
    publish.apply_async((post_id,), eta=datetime.now() + timedelta(hours=1))
    publish.apply_async((post_id,), eta=datetime.now(UTC) + timedelta(hours=1))
    publish.apply_async((post_id,), eta=timezone.now() + timedelta(hours=1))
    publish.apply_async((post_id,), eta=when, routing_key="posts")
