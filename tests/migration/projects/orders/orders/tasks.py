import celery
import celery.exceptions
from celery import (
    chain,
    group,  # many at once
)
from celery.result import AsyncResult as Result
from celery.utils.log import get_task_logger

from orders.app import app

logger = get_task_logger(__name__)


@app.task
def price(item):
    return {"apple": 3, "pear": 4}[item]


@app.task(bind=True, autoretry_for=(KeyError,), max_retries=1, default_retry_delay=0)
def total(self, prices):
    logger.info("attempt %s", self.request.retries)
    return sum(prices)


@app.task(name="orders.refuse", priority=9)
def refuse():
    raise celery.exceptions.Ignore()


def order(items):
    return chain(group(price.s(item) for item in items), total.s()).delay()


def look(task_id):
    return Result(task_id, app=app).state, celery.states.SUCCESS
