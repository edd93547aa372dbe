import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from conversations.models import Conversation, Message

SOURCE = {
    "number": 1,
    "file_path": "knowledge/chunking.py",
    "start_line": 25,
    "end_line": 26,
    "commit": "c" * 40,
    "symbol": "chunk_document",
    "language": "python",
    "url": "/sources/x/at/y/knowledge/chunking.py?lines=25-26#L25",
    "text": "def chunk_document(path):\n    return [path]\n",
}


@pytest.fixture
def conversation(project, alice) -> Conversation:
    found = Conversation.objects.create(project=project, user=alice, title="Where?")
    found.add(None, {"role": "user", "content": "Where <b>is</b> it?"})
    return found


@pytest.fixture
def page(client_for, alice, conversation):
    client = client_for(alice)

    def show(**answer: object) -> str:
        if answer:
            fields = {"role": "assistant", "content": "Here [1].", "sources": [SOURCE], **answer}
            conversation.add(conversation.tip_id, fields)
        return client.get(conversation.get_absolute_url()).content.decode()

    return show


def test_a_question_is_shown_as_it_was_typed(page) -> None:
    assert "Where &lt;b&gt;is&lt;/b&gt; it?" in page()


def test_an_answer_has_its_citations_and_sources(page) -> None:
    shown = page(note="Extractive answer")

    assert 'class="citation"' in shown
    assert "Extractive answer" in shown
    assert 'data-source="1"' in shown
    assert 'data-line="25"' in shown
    assert '<span class="k">def</span>' in shown
    assert f'href="{SOURCE["url"].replace("&", "&amp;")}"' in shown


def test_a_finished_answer_can_be_copied_and_judged(page) -> None:
    shown = page()
    answered = page(feedback="up")

    assert "message-feedback" not in shown
    assert "You found this helpful" in answered
    assert 'aria-pressed="true"' in answered
    assert "<answer-stream" not in answered


def test_an_answer_that_is_being_written_is_followed(page) -> None:
    shown = page(
        state="streaming", content="", sources=None, lease_until=timezone.now().replace(year=2090)
    )
    message = Message.objects.get(role="assistant")

    assert f'<answer-stream src="{reverse("message-stream", args=[message.pk])}">' in shown
    assert f'action="{reverse("message-stop", args=[message.pk])}"' in shown
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in shown
    assert 'data-part="actions" hidden' in shown


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("stopped", "You stopped this answer."),
        ("interrupted", "The answer was cut off."),
        ("failed", "Ask again to try once more."),
    ],
)
def test_an_answer_that_ended_early_says_why_and_keeps_its_text(
    page, state: str, words: str
) -> None:
    shown = page(state=state, content="The first half")

    assert words in shown
    assert "The first half" in shown


def test_what_went_wrong_is_told(page) -> None:
    assert "The model &lt;went&gt; away." in page(state="failed", error="The model <went> away.")


@pytest.mark.parametrize(
    "content",
    ["<script>alert(1)</script>", "[x](javascript:alert(1))", "![x](https://evil.example/?q=1)"],
)
def test_an_answer_is_no_more_than_text(page, content: str) -> None:
    shown = page(content=content)

    assert "<script>alert" not in shown
    assert 'href="javascript' not in shown
    assert "<img" not in shown


@pytest.mark.parametrize("field", ["file_path", "symbol", "text", "language", "url"])
def test_sources_are_no_more_than_text(field: str) -> None:
    source = {**SOURCE, field: '"><script>alert(1)</script>'}

    shown = render_to_string("conversations/_sources.html", {"sources": [source]})

    assert "<script>" not in shown


def test_without_sources_there_is_no_panel() -> None:
    assert render_to_string("conversations/_sources.html", {"sources": []}).strip() == ""


def test_the_next_question_can_be_asked(page, conversation) -> None:
    assert f'action="{reverse("conversation-ask", args=[conversation.pk])}"' in page()


def test_a_title_that_repeats_the_question_is_said_once(page, conversation) -> None:
    assert "<h1>Where?</h1>" in page()
    Conversation.objects.update(title="Where <b>is</b> it?")
    assert '<h1 class="unseen">' in page()


def test_other_conversations_are_within_reach(page, conversation, project, alice) -> None:
    other = Conversation.objects.create(project=project, user=alice, title="Another one")

    assert f'href="{other.get_absolute_url()}"' in page()
