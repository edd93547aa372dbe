"""The scores of a review: what each finding takes away, and what it never takes."""

import pytest

from reviews.scoring import Counted, Scores, scores_of


def one(severity, category="bug", confidence=1.0, *, is_dismissed=False):
    return Counted(f"A {severity}.", severity, category, confidence, is_dismissed)


@pytest.mark.parametrize(
    ("findings", "quality", "security", "status"),
    [
        ([], 1.0, 1.0, "APPROVED"),
        ([one("critical")], 0.7, 1.0, "CHANGES_REQUESTED"),
        ([one("warning")], 0.9, 1.0, "COMMENTED"),
        ([one("info")], 0.99, 1.0, "APPROVED"),
        ([one("critical", "security")], 1.0, 0.5, "CHANGES_REQUESTED"),
        ([one("warning", "security")], 1.0, 0.8, "COMMENTED"),
        ([one("info", "security")], 1.0, 0.98, "APPROVED"),
        ([one("warning", confidence=0.75)], 0.925, 1.0, "COMMENTED"),
        ([one("warning", confidence=0.0)], 1.0, 1.0, "COMMENTED"),
        ([one("critical"), one("warning")], 0.6, 1.0, "CHANGES_REQUESTED"),
        ([one("warning"), one("warning", "security")], 0.9, 0.8, "COMMENTED"),
        # Remarks take 0.1 together, the others whatever there is.
        ([one("info")] * 11, 0.9, 1.0, "APPROVED"),
        ([one("info", "security")] * 9, 1.0, 0.9, "APPROVED"),
        ([one("info")] * 50 + [one("warning")], 0.8, 1.0, "COMMENTED"),
        ([one("critical")] * 4, 0.0, 1.0, "CHANGES_REQUESTED"),
        ([one("critical", "security")] * 3, 1.0, 0.0, "CHANGES_REQUESTED"),
        ([one("critical", is_dismissed=True)], 1.0, 1.0, "APPROVED"),
        ([one("critical", is_dismissed=True), one("warning")], 0.9, 1.0, "COMMENTED"),
    ],
)
def test_a_review_is_scored_by_its_findings(findings, quality, security, status):
    scores = scores_of(findings)
    assert (scores.quality, scores.security, scores.status) == (quality, security, status)


@pytest.mark.parametrize(
    "category", ["convention", "bug", "pattern", "architecture", "performance", "test"]
)
def test_all_but_security_is_quality(category):
    assert scores_of([one("warning", category)]) == Scores(
        0.9,
        1.0,
        "COMMENTED",
        [
            {
                "claim": "A warning.",
                "severity": "warning",
                "category": category,
                "confidence": 1.0,
                "is_dismissed": False,
                "score": "quality",
                "cost": 0.1,
            }
        ],
    )


def test_each_line_of_the_sum_is_shown_the_dearest_first():
    said = scores_of(
        iter([one("info"), one("warning", "security", 0.333), one("critical", is_dismissed=True)])
    )
    assert [(line["claim"], line["score"], line["cost"]) for line in said.inputs] == [
        ("A warning.", "security", 0.067),
        ("A info.", "quality", 0.01),
        ("A critical.", "quality", 0.0),
    ]
