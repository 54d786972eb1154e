import celery
from celery import *
from celery.bin import worker

chain = celery.chain
celery = None
