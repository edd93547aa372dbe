"""A worker process for the hostile repositories: runs the jobs it is told to, and says so.

It stands for the long-lived process of a real installation: one for the whole suite, so that what
one repository leaves behind in it meets the next one.
"""

import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import django

django.setup()

from django.conf import settings  # noqa: E402

from projects import jobs  # noqa: E402
from providers.embedding import Effort, Vectors  # noqa: E402
from tests.hashed_embedder import HashedWords, use_embedder  # noqa: E402


class RecordingEmbedder(HashedWords):
    """Writes down every text that it is given to embed."""

    def embed(self, texts: Sequence[str], effort: Effort | None = None) -> Vectors:
        with Path(os.environ["EMBEDDED_TEXTS"]).open("a", encoding="utf-8") as record:
            record.writelines(f"{text}\n" for text in texts)
        return super().embed(texts)


def answer(asked: dict[str, str]) -> None:
    settings.MAX_FILE_BYTES = int(asked["max_file_bytes"])
    jobs.run_next(UUID(asked["job"]))


def main() -> None:
    logging.getLogger().setLevel(logging.DEBUG)
    use_embedder(settings, RecordingEmbedder)
    settings.MIRRORS_DIR = Path(os.environ["MIRRORS"])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        answer(json.loads(line))
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
