"""The Celery application: it rings, job rows decide."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("nightowl")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "poll": {"task": "projects.tasks.poll", "schedule": 60.0},
    "forget texts": {"task": "knowledge.tasks.forget_texts", "schedule": 3600.0},
    "forget conversations": {"task": "conversations.tasks.forget_deleted", "schedule": 600.0},
    "tend spaces": {"task": "knowledge.tasks.tend_spaces", "schedule": 60.0},
    "tend replicas": {"task": "knowledge.tasks.tend_replicas", "schedule": 10.0},
    "tend overviews": {"task": "knowledge.tasks.tend_overviews", "schedule": 30.0},
    "tend evaluations": {"task": "knowledge.tasks.tend_evaluations", "schedule": 60.0},
    "tend nights": {"task": "reviews.tasks.tend_nights", "schedule": 60.0},
    "send digests": {"task": "reviews.tasks.send_due", "schedule": 60.0},
}
