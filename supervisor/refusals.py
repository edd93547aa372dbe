"""The two reasons for which a start ends early."""


class CannotStart(Exception):
    """One sentence for the person who starts Nightowl: what is wrong and what to do."""


class StopRequested(Exception):
    """Ctrl-C or SIGTERM came while something was being waited for."""
