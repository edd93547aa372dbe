"""What programs read of nights, reviews, findings and what belongs to them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from reviews.models import (
    ConventionScore,
    Finding,
    NightlyRun,
    Review,
    Standard,
    TestSuggestion,
)


class FindingSerializer(serializers.ModelSerializer[Finding]):
    commit = serializers.CharField(source="review.commit.sha", read_only=True)
    author = serializers.CharField(source="review.commit.author", read_only=True)
    fixed_in = serializers.CharField(source="fixed_in.sha", read_only=True, default=None)

    class Meta:
        model = Finding
        fields = (
            *("id", "project", "source", "review", "commit", "author", "severity", "category"),
            *("rule", "path", "current_path", "start_line", "end_line", "claim", "quote"),
            *("evidence", "reference", "confidence", "patch", "is_verified", "doubt"),
            *("is_shown", "is_muted", "model_name", "prompt_version", "state", "reason"),
            *("comment", "decided_at", "fixed_in", "task", "created_at", "updated_at"),
        )
        read_only_fields = fields


class IssueSerializer(serializers.Serializer[Any]):
    """A finding as a review lists it: `type` is its category, `line` where it begins."""

    id = serializers.UUIDField()
    type = serializers.CharField(source="category")
    severity = serializers.CharField()
    message = serializers.CharField(source="claim")
    file = serializers.CharField(source="path")
    line = serializers.IntegerField(source="start_line")


class TestSuggestionSerializer(serializers.ModelSerializer[TestSuggestion]):
    __test__ = False
    commit = serializers.CharField(source="review.commit.sha", read_only=True)

    class Meta:
        model = TestSuggestion
        fields = (
            *("id", "project", "review", "commit", "target_file", "test_file", "test_type"),
            *("framework", "confidence", "language", "symbol", "start_line", "end_line", "code"),
            *("reason", "state", "task", "created_at"),
        )
        read_only_fields = fields


class SuggestionSerializer(serializers.Serializer[Any]):
    """What a review proposes: a test, or what to write in place of a finding's lines."""

    type = serializers.CharField()
    message = serializers.CharField()
    file = serializers.CharField()
    line = serializers.IntegerField()


class ScoreInputSerializer(serializers.Serializer[Any]):
    """What one finding took away from a score of a review."""

    claim = serializers.CharField()
    severity = serializers.CharField()
    category = serializers.CharField()
    confidence = serializers.FloatField()
    is_dismissed = serializers.BooleanField()
    score = serializers.CharField(help_text="`quality` or `security`.")
    cost = serializers.FloatField()


class ReviewSerializer(serializers.ModelSerializer[Review]):
    commit_sha = serializers.CharField(source="commit.sha", read_only=True)
    score_inputs = ScoreInputSerializer(many=True, read_only=True)
    notes = serializers.ListField(child=serializers.CharField(), read_only=True)
    left_out = serializers.DictField(
        child=serializers.CharField(), read_only=True, help_text="Paths, and why not looked at."
    )
    issues = serializers.SerializerMethodField()
    suggestions = serializers.SerializerMethodField()

    class Meta:
        model = Review
        fields = (
            *("id", "project", "source", "run", "commit", "commit_sha", "parent_sha", "is_merge"),
            *("reviewer_version", "status", "summary", "quality_score", "security_score"),
            *("score_inputs", "issues", "suggestions", "notes", "left_out", "seconds"),
            *("reviewed_at", "created_at", "updated_at"),
        )
        read_only_fields = fields

    @extend_schema_field(IssueSerializer(many=True))
    def get_issues(self, review: Review) -> Any:
        return IssueSerializer(review.findings.all(), many=True).data

    @extend_schema_field(SuggestionSerializer(many=True))
    def get_suggestions(self, review: Review) -> Any:
        tests = [
            {
                "type": "test",
                "message": one.reason,
                "file": one.target_file,
                "line": one.start_line,
            }
            for one in review.test_suggestions.all()
        ]
        patches = [
            {"type": "patch", "message": one.patch, "file": one.path, "line": one.start_line}
            for one in review.findings.all()
            if one.patch
        ]
        return SuggestionSerializer([*tests, *patches], many=True).data


class NightlyRunSerializer(serializers.ModelSerializer[NightlyRun]):
    heads = serializers.DictField(
        child=serializers.CharField(), read_only=True, help_text="Commits by the source's id."
    )
    steps = serializers.DictField(
        child=serializers.DictField(), read_only=True, help_text="What each step took."
    )
    notes = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = NightlyRun
        fields = (
            *("id", "project", "trigger", "state", "night", "since", "heads", "steps", "notes"),
            *("started_at", "finished_at", "error", "created_at"),
        )
        read_only_fields = fields


class DigestFindingSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    severity = serializers.CharField()
    category = serializers.CharField()
    rule = serializers.CharField()
    path = serializers.CharField()
    start_line = serializers.IntegerField()
    end_line = serializers.IntegerField()
    claim = serializers.CharField()
    commit = serializers.CharField()
    owner = serializers.CharField(help_text="Who changed the file last.")


class DriftSerializer(serializers.Serializer[Any]):
    rule = serializers.CharField()
    title = serializers.CharField()
    week = serializers.IntegerField(help_text="How often it was broken in the week that ended.")
    week_before = serializers.IntegerField()


class DigestProjectSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class DigestSerializer(serializers.Serializer[Any]):
    """What a night has to tell, as `as_json` makes it for webhooks and programs."""

    event = serializers.CharField()
    project = DigestProjectSerializer()
    run = serializers.UUIDField()
    night = serializers.DateField()
    url = serializers.CharField()
    commits = serializers.IntegerField()
    findings = DigestFindingSerializer(many=True)
    more_findings = serializers.IntegerField()
    remarks = serializers.IntegerField()
    fixed = serializers.IntegerField()
    test_suggestions = serializers.IntegerField()
    drift = DriftSerializer(many=True, help_text="Told by the first night of a week.")
    tokens = serializers.IntegerField()
    cost = serializers.CharField(allow_null=True, help_text="US dollars; null: not known.")


class ViolationSerializer(serializers.Serializer[Any]):
    rule = serializers.CharField()
    title = serializers.CharField()
    count = serializers.IntegerField()
    findings = serializers.ListField(child=serializers.UUIDField())


class ConventionScoreSerializer(serializers.ModelSerializer[ConventionScore]):
    violations = ViolationSerializer(many=True, read_only=True)

    class Meta:
        model = ConventionScore
        fields = (
            *("id", "project", "review", "module", "score", "applicable", "passed"),
            *("violations", "date"),
        )
        read_only_fields = fields


class StandardSerializer(serializers.ModelSerializer[Standard]):
    tags = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Standard
        fields = (
            *("id", "project", "origin", "source", "path", "anchor", "title", "category", "tags"),
            *("text", "check_kind", "check_rule", "files", "severity", "is_enabled", "updated_at"),
        )
        read_only_fields = fields


class DecisionSerializer(serializers.Serializer[Finding]):
    state = serializers.ChoiceField(
        choices=[choice for choice in Finding.State.choices if choice[0] != Finding.State.FIXED]
    )
    reason = serializers.ChoiceField(
        choices=Finding.Reason.choices, required=False, default="", allow_blank=True
    )
    comment = serializers.CharField(required=False, default="", allow_blank=True, max_length=500)


class SuggestionDecisionSerializer(serializers.Serializer[TestSuggestion]):
    state = serializers.ChoiceField(choices=TestSuggestion.State.choices)


class BegunSerializer(serializers.Serializer[NightlyRun]):
    since = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=255,
        help_text="A commit: everything after it is reviewed. Empty: since the last run.",
    )
