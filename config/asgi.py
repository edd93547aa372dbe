"""The web process's way in, for `gunicorn config.asgi:application -k asgi`."""

import os
import warnings

# A web process keeps connections in a pool; commands and workers open their own.
os.environ.setdefault("DATABASE_POOL", "true")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# WhiteNoise serves files from synchronous iterators; they are read whole, which suits their size.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")

import django  # noqa: E402

django.setup(set_prefix=False)

from config.admission import Admission  # noqa: E402
from config.handling import OneThreadHandler  # noqa: E402

application = Admission(OneThreadHandler())
