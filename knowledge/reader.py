"""A process that reads files for a worker, so that no file can exhaust or hang the worker itself.

Started as `python -m knowledge.reader MEGABYTES SECONDS`. It has no settings, no database and no
secrets: it takes bytes on its standard input and answers with passages on its standard output.
"""

import os
import resource
import signal
import sys

from knowledge.frames import ConnectionEnded, receive_question, send_content
from knowledge.reading import Asked, Content, read

TOO_LARGE = "it needs too much memory to read"


def main(megabytes: int, seconds: float) -> None:
    """Answer until the worker is gone; the kernel ends what takes too much time or memory."""
    questions = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not end up among the answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the worker's to answer
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    limit = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        try:
            asked = receive_question(questions)
        except ConnectionEnded:
            return
        signal.setitimer(signal.ITIMER_REAL, seconds)
        content = _read(asked)
        signal.setitimer(signal.ITIMER_REAL, 0)
        try:
            send_content(answers, content)
        except BrokenPipeError:
            return


def _read(asked: Asked) -> Content:
    try:
        return read(asked)
    except (MemoryError, RecursionError):
        # Its worker asks another process to cut it by lines.
        return Content(failed=TOO_LARGE)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
