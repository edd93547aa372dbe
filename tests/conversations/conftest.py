import pytest

from conversations import asking
from conversations.models import Conversation, Message
from providers.models import Provider
from tests.model_server import model_server

CACHE = '''class Cache:
    """Keeps values until they expire."""

    def evict_oldest(self):
        """Drop the value that was written first."""
        self.values.pop(min(self.values, key=self.age_of))
'''


@pytest.fixture
def indexed(source, index):
    index(source, "src/cache.py", CACHE)
    index(source, "docs/relay.md", "# Relay\n\nMail goes out through the configured relay.\n")
    return source


@pytest.fixture
def conversation(viewer, project) -> Conversation:
    return asking.begin(viewer, project)


@pytest.fixture
def server():
    with model_server() as running:
        yield running


@pytest.fixture
def model(db, server) -> Provider:
    """The default provider: a model behind the OpenAI API."""
    return Provider.objects.create(
        provider_name="openai",
        model_name="m",
        is_default=True,
        api_config={"base_url": server.url, "timeout": 5},
    )


@pytest.fixture
def answer_to(conversation):
    """Ask a question and return the message that waits for its answer."""

    def ask(question: str) -> Message:
        answer = asking.ask(conversation, question)
        taken = asking.take(answer.pk)
        assert taken is not None
        return taken

    return ask
