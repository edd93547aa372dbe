"""What `manage.py check --deploy` has to say about this app."""

import os
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security, deploy=True)
def nothing_crashes_on_purpose(**_: Any) -> list[CheckMessage]:
    if not os.environ.get("CRASH_AT"):
        return []
    message = "CRASH_AT is set: processes kill themselves at a checkpoint, which is for tests."
    return [Error(message, hint="Remove CRASH_AT from the environment.", id="projects.E001")]
