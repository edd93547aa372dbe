"""The Celery application: it rings, job rows decide."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("nightowl")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
