import celery as c, json  # noqa
from celery \
    .exceptions import Retry
from kombu import Queue
import celery.states as states, celery.canvas

LOGGER = "celery.app.trace"
ä, used = "ä", celery.canvas.chain, c.group  # the columns of what comes after ä count bytes
