"""Documents over REST: files as they are indexed, what people write, and what is similar."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import UUID_IN_PATH, asked_for, caller
from accounts.models import ApiKey, User
from accounts.viewers import Viewer
from knowledge.models import Document
from knowledge.similarity import (
    LONGEST_TEXT,
    MOST_DOCUMENTS,
    USUAL_LIMIT,
    USUAL_THRESHOLD,
    Found,
    Similar,
    Wanted,
    similar_to_document,
    similar_to_text,
)
from knowledge.viewing import file_address
from knowledge.writing import (
    LARGEST_TEXT,
    LONGEST_TITLE,
    Past,
    change_document,
    create_document,
    delete_document,
    history_of,
    upload_of,
    version_of,
)
from projects.access import (
    EDITORS_ONLY,
    EditorsWrite,
    VisibleProject,
    VisibleSource,
    check_role,
)
from projects.models import Membership, Project

if TYPE_CHECKING:
    DocumentField = serializers.PrimaryKeyRelatedField[Document]
    PersonField = serializers.PrimaryKeyRelatedField[User]
else:
    DocumentField = PersonField = serializers.PrimaryKeyRelatedField

VERSION_HELP = "The one that this began from; if another stands by now, the answer is 409."


class VisiblePerson(PersonField):
    """A person by their id, one with whom the caller shares a project."""

    default_error_messages = {"does_not_exist": "There is no person of this id for you."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(pk_field=serializers.UUIDField(), **kwargs)

    def get_queryset(self) -> QuerySet[User]:
        projects = Project.objects.visible_to(caller(self.context["request"]))
        return User.objects.filter(memberships__project__in=projects).distinct()


class VisibleDocument(DocumentField):
    """A document by its id, one that the caller may see."""

    default_error_messages = {"does_not_exist": "There is no document of this id for you."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(pk_field=serializers.UUIDField(), **kwargs)

    def get_queryset(self) -> QuerySet[Document]:
        return Document.objects.visible_to(caller(self.context["request"]))


class DocumentSerializer(serializers.ModelSerializer[Document]):
    user = serializers.UUIDField(
        source="user_id", allow_null=True, help_text="Who wrote it here; null for files."
    )

    class Meta:
        model = Document
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "author": {"help_text": "Who changed it last, as its commit or its giver says."},
            "changed_at": {"help_text": "When; null until a sync has asked the history."},
        }
        fields = (
            "id",
            "project",
            "source",
            "user",
            "path",
            "title",
            "file_type",
            "file_size",
            "language",
            "layer",
            "collection",
            "commit",
            "encoding",
            "author",
            "changed_at",
            "state",
            "error",
            "notes",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class PastSerializer(serializers.Serializer[Past]):
    commit = serializers.CharField()
    created_at = serializers.DateTimeField()
    by = serializers.CharField(help_text="Who made it; empty for files.")


class FullDocumentSerializer(DocumentSerializer):
    content = serializers.CharField(help_text="The text as it is indexed, secrets masked.")
    metadata = serializers.DictField(
        help_text="What was given with the text, over what its front matter says."
    )
    version = serializers.SerializerMethodField(
        help_text="Names the state of a written document for a change; empty for files."
    )
    versions = serializers.SerializerMethodField(help_text="The newest first, 200 at most.")

    class Meta(DocumentSerializer.Meta):
        fields = (  # type: ignore[assignment]
            *DocumentSerializer.Meta.fields,
            "metadata",
            "content",
            "version",
            "versions",
        )
        read_only_fields = fields  # type: ignore[assignment]

    def get_version(self, document: Document) -> str:
        upload = upload_of(document)
        return version_of(upload) if upload is not None else ""

    @extend_schema_field(PastSerializer(many=True))
    def get_versions(self, document: Document) -> Any:
        return [PastSerializer(past).data for past in history_of(document)]


class DocumentQuery(serializers.Serializer[Document]):
    project = VisibleProject(required=False)
    source = VisibleSource(required=False)  # type: ignore[assignment]
    user = VisiblePerson(required=False, help_text="Who wrote it here.")
    state = serializers.ChoiceField(choices=Document.State.choices, required=False)
    language = serializers.CharField(max_length=50, required=False)
    collection = serializers.CharField(max_length=30, required=False)
    path = serializers.CharField(
        max_length=4096, required=False, help_text="What the path begins with."
    )
    q = serializers.CharField(
        max_length=300, required=False, help_text="What the path or the title holds."
    )


class NewDocumentSerializer(serializers.Serializer[Document]):
    project = VisibleProject()
    title = serializers.CharField(max_length=LONGEST_TITLE)
    content = serializers.CharField(
        max_length=LARGEST_TEXT, trim_whitespace=False, help_text="Markdown."
    )
    metadata = serializers.DictField(default=dict, help_text="An object of 16 KB at most.")


class ChangedDocumentSerializer(serializers.Serializer[Document]):
    title = serializers.CharField(max_length=LONGEST_TITLE)
    content = serializers.CharField(max_length=LARGEST_TEXT, trim_whitespace=False)
    metadata = serializers.DictField()
    version = serializers.CharField(max_length=64, help_text=VERSION_HELP)


class DeletionQuery(serializers.Serializer[Document]):
    version = serializers.CharField(max_length=64, required=False, help_text=VERSION_HELP)


@extend_schema_view(
    list=extend_schema(
        summary="Files as they are indexed, with what was left out and why, and written documents",
        parameters=[DocumentQuery],
    ),
    retrieve=extend_schema(
        summary="One document with its text and its versions", responses=FullDocumentSerializer
    ),
    create=extend_schema(
        summary="Write a document, searchable at once; for editors",
        request=NewDocumentSerializer,
        responses={201: FullDocumentSerializer},
    ),
    partial_update=extend_schema(
        summary="Change a document that was written here; for editors",
        request=ChangedDocumentSerializer,
        responses=FullDocumentSerializer,
    ),
    destroy=extend_schema(
        summary="Delete a document that was written here; for editors", parameters=[DeletionQuery]
    ),
)
class DocumentViewSet(viewsets.ModelViewSet[Document]):
    queryset = Document.objects.none()
    serializer_class = DocumentSerializer
    permission_classes = [EditorsWrite]
    http_method_names = ["get", "head", "post", "patch", "delete"]
    lookup_value_regex = UUID_IN_PATH

    def get_queryset(self) -> QuerySet[Document]:
        documents = Document.objects.visible_to(caller(self.request))
        if self.action != "list":
            return documents.select_related("blob")
        asked = asked_for(self.request, DocumentQuery)
        beginning, part = asked.pop("path", ""), asked.pop("q", "")
        if beginning:
            documents = documents.filter(path__startswith=beginning)
        if part:
            documents = documents.filter(Q(path__icontains=part) | Q(title__icontains=part))
        return documents.filter(**asked).defer("metadata").order_by("path", "pk")

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Document]]:
        return DocumentSerializer if self.action == "list" else FullDocumentSerializer

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        asked = NewDocumentSerializer(data=request.data, context={"request": request})
        asked.is_valid(raise_exception=True)
        viewer, data = caller(request), dict(asked.validated_data)
        project = data.pop("project")
        check_role(viewer, project, Membership.EDITOR_ROLES, EDITORS_ONLY)
        document = create_document(project, by=viewer.user, **data)
        return Response(FullDocumentSerializer(document).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        document = self.get_object()
        asked = ChangedDocumentSerializer(data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        changed = change_document(document, by=caller(request).user, **asked.validated_data)
        return Response(FullDocumentSerializer(changed).data)

    def perform_destroy(self, instance: Document) -> None:
        asked = asked_for(self.request, DeletionQuery)
        delete_document(instance, by=caller(self.request).user, **asked)


class SimilarQuery(serializers.Serializer[Found]):
    text = serializers.CharField(max_length=LONGEST_TEXT, required=False)
    document = VisibleDocument(required=False, help_text="Instead of a text.")
    limit = serializers.IntegerField(min_value=1, max_value=MOST_DOCUMENTS, default=USUAL_LIMIT)
    threshold = serializers.FloatField(
        min_value=0, max_value=1, default=USUAL_THRESHOLD, help_text="The least cosine."
    )
    user = VisiblePerson(required=False, help_text="Only what this person wrote here.")
    project = VisibleProject(required=False, help_text="Without it: all projects of yours.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("text" in attrs) == ("document" in attrs):
            raise serializers.ValidationError("Give either a text or a document.")
        return attrs


class NearestPassageSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(source="chunk_text")
    start_line = serializers.IntegerField()
    end_line = serializers.IntegerField()
    header = serializers.CharField()


class SimilarSerializer(serializers.Serializer[Similar]):
    document = DocumentSerializer()
    score = serializers.FloatField(help_text="The cosine of the nearest passage.")
    passage = NearestPassageSerializer()
    url = serializers.SerializerMethodField(help_text="The page that shows the passage.")

    def get_url(self, similar: Similar) -> str:
        passage = similar.passage
        return file_address(similar.document, passage.start_line, passage.end_line)


class FoundSerializer(serializers.Serializer[Found]):
    results = SimilarSerializer(many=True, source="similar")
    notes = serializers.ListField(child=serializers.CharField())


class SimilarView(APIView):
    """Reads in both ways: a long text has no place in an address."""

    scopes = {"POST": ApiKey.Scope.READ}

    @extend_schema(
        summary="Documents that mean nearly the same as a text or a document",
        parameters=[SimilarQuery],
        responses=FoundSerializer,
    )
    def get(self, request: Request) -> Response:
        return self._answer(request, request.query_params)

    @extend_schema(
        summary="The same, for a text that is too long for an address",
        request=SimilarQuery,
        responses=FoundSerializer,
    )
    def post(self, request: Request) -> Response:
        return self._answer(request, request.data)

    def _answer(self, request: Request, data: Any) -> Response:
        read = SimilarQuery(data=data, context={"request": request})
        read.is_valid(raise_exception=True)
        return Response(FoundSerializer(_similar(caller(request), read.validated_data)).data)


def _similar(viewer: Viewer, asked: dict[str, Any]) -> Found:
    user, project = asked.get("user"), asked.get("project")
    wanted = Wanted(
        asked["limit"],
        asked["threshold"],
        user_id=user.pk if user is not None else None,
        project_id=project.pk if project is not None else None,
    )
    if "document" in asked:
        return similar_to_document(viewer, asked["document"], wanted)
    return similar_to_text(viewer, asked["text"], wanted)
