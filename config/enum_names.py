"""What the schema of the API calls enumerations whose fields are named alike."""

ENUM_NAMES = {
    "UserRole": "accounts.models.User.Role",
    "MemberRole": "projects.models.Membership.Role",
    "MessageRole": "conversations.models.Message.Role",
    "SourceState": "projects.models.Source.State",
    "JobState": "projects.models.Job.State",
    "SpaceState": "knowledge.models.EmbeddingSpace.State",
    "DocumentState": "knowledge.models.Document.State",
    "MessageState": "conversations.models.Message.State",
    "GapState": "knowledge.models.KnowledgeGap.State",
    "SourceKind": "projects.models.Source.Kind",
    "JobKind": "projects.models.Job.Kind",
    "NightlyRunState": "reviews.models.NightlyRun.State",
    "FindingState": "reviews.models.Finding.State",
    "SuggestionState": "reviews.models.TestSuggestion.State",
    "DeliveryState": "reviews.models.Delivery.State",
    "FindingSeverity": "reviews.models.Finding.Severity",
    "StandardSeverity": "reviews.models.Standard.Severity",
    "FeedbackValue": "conversations.models.Message.Feedback",
    "FeedbackKind": "conversations.models.Message.FeedbackKind",
}
