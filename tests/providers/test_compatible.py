import pytest
from asgiref.sync import async_to_sync

from providers.chat import ChatMessage, ModelUnavailable, Usage, chat_model
from providers.models import Provider
from tests.model_server import model_server


@pytest.fixture
def server():
    with model_server() as running:
        yield running


@pytest.fixture
def provider(server) -> Provider:
    return Provider(
        provider_name="openai",
        model_name="m",
        api_config={"base_url": server.url, "api_key_variable": "TEST_MODEL_KEY", "timeout": 5},
    )


def answer(provider, usage=None) -> str:
    return "".join(pieces(provider, usage))


def pieces(provider, usage=None) -> list[str]:
    async def collect():
        stream = chat_model(provider).stream(
            provider, [ChatMessage("user", "why?")], usage or Usage()
        )
        return [piece async for piece in stream]

    return async_to_sync(collect)()


def test_an_answer_comes_piece_by_piece_with_what_it_took(provider, server):
    usage = Usage()
    assert pieces(provider, usage) == server.pieces
    assert (usage.tokens_in, usage.tokens_out, usage.tokens_cached) == (100, 20, None)
    asked = server.requests[0]
    assert asked["messages"] == [{"role": "user", "content": "why?"}]
    assert asked["model"] == "m"
    assert asked["stream"] is True


def test_the_key_comes_from_the_named_variable_of_the_environment(provider, server, monkeypatch):
    monkeypatch.setenv("TEST_MODEL_KEY", "sesame")
    answer(provider)
    assert server.keys == ["Bearer sesame"]


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("bad key", "refused the API key"),
        ("no model", "knows no model named m"),
        ("busy", "takes no more requests"),
        ("broken", "answered with error 500"),
    ],
)
def test_what_a_server_refuses_is_said_in_our_words_without_its_own(
    provider, server, mode, sentence, monkeypatch
):
    monkeypatch.setenv("TEST_MODEL_KEY", "sesame")
    server.mode = mode
    with pytest.raises(ModelUnavailable, match=sentence) as caught:
        answer(provider)
    assert "sesame" not in str(caught.value)


def test_a_server_that_is_not_there_is_said_so(provider):
    provider.api_config["base_url"] = "http://127.0.0.1:1/v1"
    with pytest.raises(ModelUnavailable, match="can't be reached"):
        answer(provider)


def test_a_stream_of_garbage_ends_in_a_sentence(provider, server):
    server.mode = "garbage"
    with pytest.raises(ModelUnavailable, match="broke off"):
        answer(provider)


def test_pieces_before_a_break_are_kept(provider, server):
    server.mode = "dies"
    got = []

    async def collect():
        async for piece in chat_model(provider).stream(provider, [], Usage()):
            got.append(piece)  # noqa: PERF401 - a comprehension would keep nothing on a break

    with pytest.raises(ModelUnavailable, match="broke off"):
        async_to_sync(collect)()
    assert got == server.pieces[:2]


def test_leaving_a_stream_closes_the_call(provider, server):
    server.pieces, server.delay = ["x"] * 200, 0.02

    async def leave_early():
        stream = chat_model(provider).stream(provider, [], Usage())
        async for _ in stream:
            break
        await stream.aclose()

    async_to_sync(leave_early)()
    for _ in range(100):
        if server.disconnects:
            break
        server._thread.join(0.05)
    assert server.disconnects == 1
