INSTALLED_APPS = ["django.contrib.contenttypes", "django_celery_results"]
CELERY_BROKER_URL = "amqp://guest@localhost//"
CELERY_RESULT_BACKEND = "django-db"
CELERY_TASK_ACKS_LATE = False
CELERYD_CONCURRENCY = 4
CELERY_WORKER_MAX_TASKS_PER_CHILD = 100
EMAIL_HOST = "localhost"
