"""The columns, references and indexes that docs/coverage.md points to are in the database."""

import pytest
from django.apps import apps
from django.db import connection, models

# name:type, with ? for a column that may be empty.
COLUMNS = {
    "accounts_user": "id:uuid username:varchar email:varchar name:varchar password:varchar"
    " role:varchar github_id:int8? created_at:timestamptz updated_at:timestamptz"
    " deleted_at:timestamptz?",
    "projects_project": "id:uuid name:varchar description:text repository_url:varchar"
    " github_repo_id:int8? default_branch:varchar owner_id:uuid created_at:timestamptz"
    " updated_at:timestamptz",
    "projects_source": "id:uuid project_id:uuid name:varchar description:text url:varchar"
    " folder_path:varchar head:varchar last_synced_at:timestamptz? last_commit_date:timestamptz?"
    " created_at:timestamptz updated_at:timestamptz",
    "projects_task": "id:uuid project_id:uuid user_id:uuid? parent_id:uuid? title:varchar"
    " description:text prompt:text status:varchar priority:varchar result:jsonb?"
    " created_at:timestamptz updated_at:timestamptz",
    "projects_commit": "id:uuid project_id:uuid task_id:uuid? sha:varchar message:text"
    " author:varchar email:varchar branch:varchar files_changed:int4 additions:int4"
    " deletions:int4 created_at:timestamptz updated_at:timestamptz",
    "knowledge_document": "id:uuid project_id:uuid source_id:uuid? user_id:uuid? title:varchar"
    " path:varchar file_type:varchar file_size:int8 language:varchar layer:varchar"
    " collection:varchar blob_id:varchar? commit:varchar metadata:jsonb created_at:timestamptz"
    " updated_at:timestamptz",
    "knowledge_blob": "sha:varchar text:text",
    "knowledge_chunk": "id:uuid document_id:uuid project_id:uuid chunk_text:text chunk_index:int4"
    " start_line:int4 end_line:int4 header_anchor:varchar symbol:varchar kind:varchar"
    " language:varchar layer:varchar collection:varchar metadata:jsonb created_at:timestamptz"
    " updated_at:timestamptz",
    "knowledge_vector": "chunk_id:uuid project_id:uuid space_id:uuid embedding:halfvec",
    "knowledge_embeddingspace": "id:uuid model_name:varchar dimensions:int4 state:varchar",
    "knowledge_knowledgegap": "id:uuid project_id:uuid module:varchar reason:varchar"
    " last_updated:timestamptz",
    "conversations_conversation": "id:uuid project_id:uuid user_id:uuid provider_id:uuid?"
    " title:varchar created_at:timestamptz updated_at:timestamptz",
    "conversations_message": "id:uuid conversation_id:uuid role:varchar content:text"
    " sources:jsonb? created_at:timestamptz updated_at:timestamptz",
    "providers_provider": "id:uuid provider_name:varchar model_name:varchar is_default:bool"
    " api_config:jsonb created_at:timestamptz updated_at:timestamptz",
}

UNIQUE = [
    ("accounts_user", "username"),
    ("accounts_user", "github_id"),
    ("projects_project", "name"),
    ("projects_project", "github_repo_id"),
    ("projects_commit", "project_id, sha"),
    ("projects_source", "project_id, name"),
    ("knowledge_document", "source_id, path"),
    ("knowledge_chunk", "document_id, chunk_index"),
    ("knowledge_vector", "chunk_id, space_id"),
    ("conversations_message", "conversation_id, position"),
    ("providers_provider", "provider_name, model_name"),
]

INDEXED = [
    ("accounts_user", "created_at"),
    ("projects_project", "owner_id"),
    ("projects_source", "project_id"),
    ("projects_task", "project_id"),
    ("projects_task", "user_id"),
    ("projects_task", "status"),
    ("projects_task", "parent_id"),
    ("projects_commit", "project_id"),
    ("projects_commit", "task_id"),
    ("projects_commit", "sha"),
    ("knowledge_document", "created_at"),
    ("knowledge_document", "user_id"),
    ("knowledge_document", "source_id, path"),
    ("knowledge_chunk", "project_id"),
    ("knowledge_chunk", "document_id, chunk_index"),
    ("conversations_conversation", "project_id, updated_at DESC"),
    ("conversations_conversation", "user_id, updated_at DESC"),
    ("conversations_conversation", "provider_id"),
    ("conversations_message", "conversation_id, created_at"),
    ("providers_provider", "is_default"),
]

CASCADES = [
    ("projects.Source", "project"),
    ("projects.Task", "project"),
    ("projects.Task", "parent"),
    ("projects.Commit", "project"),
    ("knowledge.Document", "source"),
    ("knowledge.Document", "user"),
    ("knowledge.Chunk", "document"),
    ("knowledge.Vector", "chunk"),
    ("conversations.Conversation", "project"),
    ("conversations.Conversation", "user"),
    ("conversations.Message", "conversation"),
]

# Rows that only say that two others belong together, or that are written once and never change.
UNDATED = {
    *("projects.ApiKeyProject", "projects.WorkerBeat", "accounts.AuditEntry", "knowledge.Blob"),
    *("knowledge.DocumentVersion", "knowledge.TermCount", "knowledge.EmbeddedText"),
    *("knowledge.Vector", "knowledge.VectorChange"),
}
OURS = [
    model
    for label in ("accounts", "projects", "providers", "knowledge", "conversations")
    for model in apps.get_app_config(label).get_models()
]


def rows(sql: str, *values: object) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def indexes(table: str, *, unique: bool = False) -> list[str]:
    """What the whole-table indexes of a table are on, as PostgreSQL writes it."""
    found = rows("SELECT indexdef FROM pg_indexes WHERE tablename = %s", table)
    return [
        definition.partition("(")[2].rpartition(")")[0].replace('"', "")
        for (definition,) in found
        if " WHERE " not in definition and (not unique or "UNIQUE INDEX" in definition)
    ]


@pytest.mark.parametrize("table", COLUMNS)
def test_a_promised_column_is_there(db, table: str) -> None:
    found = {
        name: f"{kind}{'?' if nullable == 'YES' else ''}"
        for name, kind, nullable in rows(
            "SELECT column_name, udt_name, is_nullable FROM information_schema.columns"
            " WHERE table_name = %s",
            table,
        )
    }
    promised = dict(column.split(":") for column in COLUMNS[table].split())

    assert {name: found.get(name) for name in promised} == promised


@pytest.mark.parametrize(("table", "columns"), UNIQUE)
def test_what_is_promised_to_be_unique_is(db, table: str, columns: str) -> None:
    assert columns in indexes(table, unique=True)


def test_an_email_address_belongs_to_one_person_in_any_case(db) -> None:
    found = rows("SELECT indexdef FROM pg_indexes WHERE tablename = 'accounts_user'")

    assert any("UNIQUE" in row[0] and "lower((email)" in row[0] for row in found)


@pytest.mark.parametrize(("table", "columns"), INDEXED)
def test_a_promised_index_is_there(db, table: str, columns: str) -> None:
    assert any(index == columns or index.startswith(f"{columns},") for index in indexes(table))


def test_every_reference_has_an_index(db) -> None:
    missing = [
        f"{model._meta.label}.{field.name}"
        for model in OURS
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
        and not any(index.startswith(field.column) for index in indexes(model._meta.db_table))
    ]

    assert not missing


@pytest.mark.parametrize(("label", "name"), CASCADES)
def test_what_belongs_to_a_thing_goes_with_it(label: str, name: str) -> None:
    field = apps.get_model(label)._meta.get_field(name)

    assert isinstance(field, models.ForeignKey)
    assert field.remote_field.on_delete is models.CASCADE


def test_rows_know_when_they_came_and_changed() -> None:
    undated = {
        model._meta.label
        for model in OURS
        if not {"created_at", "updated_at"} <= {field.name for field in model._meta.fields}
    }

    assert undated == UNDATED


def test_rows_have_ids_that_tell_nothing() -> None:
    counted = [
        model._meta.label
        for model in OURS
        if model._meta.label not in UNDATED and not isinstance(model._meta.pk, models.UUIDField)
    ]

    assert not counted
