"""A night: what was merged is examined once, and what was found is kept with its evidence."""

import pytest

from projects.models import Commit
from reviews.models import Finding, NightlyRun, Review

pytestmark = pytest.mark.django_db(transaction=True)

SWALLOWING = '''"""What people owe."""


def total(lines):
    """Add up the lines of an invoice."""
    try:
        return sum(line.amount for line in lines)
    except ValueError:
        pass
'''


def test_a_night_reviews_what_was_merged_and_says_what_it_found(night, repository):
    sha = repository.commit({"ledger.py": SWALLOWING}, message="Be kind to bad lines")

    run = night()

    assert (run.state, run.error) == (NightlyRun.State.DONE, "")
    review = Review.objects.get(commit__sha=sha)
    assert review.status == Review.Status.COMMENTED
    finding = Finding.objects.get(review=review, rule="nightowl/swallowed-error")
    assert (finding.path, finding.start_line, finding.end_line) == ("ledger.py", 8, 9)
    assert finding.quote == "    except ValueError:\n        pass"
    assert finding.is_verified
    assert finding.is_shown
    assert Commit.objects.get(sha=sha).files_changed == 1
