"""Models that answer behind the OpenAI API, whoever serves it."""

import asyncio
import os
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, contextmanager
from functools import cache
from http import HTTPStatus
from time import monotonic
from typing import Any, cast

import httpx2
import openai
from django.conf import settings
from openai.types.chat import ChatCompletionMessageParam

from providers.breaths import breaths
from providers.chat import ChatMessage, ModelUnavailable, Schema, Usage
from providers.completions import DONE, EventTooLong, Said, count, events_in, read, storable
from providers.models import Provider
from providers.waiting import in_words, seconds_asked_for

USUAL_ADDRESS = {
    Provider.Name.OPENAI: "https://api.openai.com/v1",
    Provider.Name.GOOGLE: "https://generativelanguage.googleapis.com/v1beta/openai",
    Provider.Name.OPENROUTER: "https://openrouter.ai/api/v1",
    Provider.Name.LITELLM: "http://localhost:4000",
    Provider.Name.OLLAMA: "http://localhost:11434/v1",
}
USUAL_KEY_VARIABLE = {
    Provider.Name.OPENAI: "OPENAI_API_KEY",
    Provider.Name.GOOGLE: "GOOGLE_API_KEY",
    Provider.Name.OPENROUTER: "OPENROUTER_API_KEY",
    Provider.Name.LITELLM: "LITELLM_API_KEY",
}
# Who is known to hold its models to a schema; for others `json_schema` in their settings says so.
HELD_TO_SCHEMAS = frozenset({Provider.Name.OPENAI, Provider.Name.GOOGLE, Provider.Name.OLLAMA})
PATIENCE = 120.0  # seconds without a sign after which a model counts as gone
LONGEST_WRITING = 900.0  # seconds of one answer
LONGEST_ANSWER = 200_000  # characters
USUAL_MAX_TOKENS = 1024
STATUS_SENTENCES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "{name} refused the API key; check its variable.",
    HTTPStatus.FORBIDDEN: "{name} may not be used with this API key.",
    HTTPStatus.NOT_FOUND: "The server knows no model named {name}.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The question with its passages is too long for {name}.",
}


def key_variable(provider: Provider) -> str:
    """Return the name of the environment variable that holds the key; empty where none is used."""
    if provider.from_environment:
        return "LLM_API_KEY"
    named = provider.api_config.get("api_key_variable")
    return named or USUAL_KEY_VARIABLE.get(Provider.Name(provider.provider_name), "")


def api_key(provider: Provider) -> str:
    """Return the key from the environment; local servers often need none."""
    if provider.from_environment:
        return settings.LLM_API_KEY or "none"
    return os.environ.get(key_variable(provider), "") or "none"


class CompatibleChat:
    async def stream(
        self,
        provider: Provider,
        messages: Sequence[ChatMessage],
        usage: Usage,
        *,
        schema: Schema | None = None,
    ) -> AsyncGenerator[str, None]:
        async with AsyncExitStack() as opened:
            opened.enter_context(_translated(provider))
            # Closed in turn, from the last reader down to the connection: what is left to the
            # garbage collector may be closed while another thread still runs it.
            events = await _asked(provider, messages, opened, schema)
            async for text in _Answer(provider.model_name).read_from(events, usage):
                yield text


async def _asked(
    provider: Provider,
    messages: Sequence[ChatMessage],
    opened: AsyncExitStack,
    schema: Schema | None,
) -> AsyncIterator[str]:
    """Ask, and return the events of the answer; they are closed with `opened`."""
    config = provider.api_config
    patience = config.get("timeout", PATIENCE)
    # Made for each answer and closed with it: a client belongs to one event loop.
    connections = openai.DefaultAsyncHttpxClient(verify=_trusted())
    client = await opened.enter_async_context(
        openai.AsyncOpenAI(
            base_url=config.get("base_url") or USUAL_ADDRESS[Provider.Name(provider.provider_name)],
            api_key=api_key(provider),
            timeout=patience,
            max_retries=1,
            http_client=connections,
        )
    )
    asking = client.chat.completions.with_streaming_response.create(
        model=provider.model_name,
        messages=cast(
            list[ChatCompletionMessageParam],
            [{"role": m.role, "content": m.content} for m in messages],
        ),
        temperature=config.get("temperature", 0.2),
        max_tokens=config.get("max_tokens", USUAL_MAX_TOKENS),
        stream=True,
        extra_body=_form(provider, schema),
        stream_options={"include_usage": True},
    )
    # Around the second try as well: who waits has waited since the first.
    async with asyncio.timeout(patience):
        response = await opened.enter_async_context(asking)
    # Read by ourselves: the package's own reading ends at the first event it does not know, and
    # takes twenty times as long over each.
    chunks: AsyncGenerator[bytes, None] = response.http_response.aiter_bytes()
    for reading in (breaths.read, _in_time):
        chunks = reading(await opened.enter_async_context(aclosing(chunks)))
    events = events_in(await opened.enter_async_context(aclosing(chunks)))
    return await opened.enter_async_context(aclosing(events))


def _form(provider: Provider, schema: Schema | None) -> dict[str, Any] | None:
    """Return how a model is held to a schema; servers that do not know this may refuse it."""
    can = provider.provider_name in HELD_TO_SCHEMAS and "base_url" not in provider.api_config
    if schema is None or not provider.api_config.get("json_schema", can):
        return None
    named = {"name": "reply", "strict": True, "schema": dict(schema)}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


async def _in_time(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield chunks while there is time for them; each may have come just before the last moment."""
    until = monotonic() + LONGEST_WRITING
    async for chunk in chunks:
        yield chunk
        if monotonic() > until:
            raise WroteTooLong


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted, read once: that takes 20 ms, a client without it 0.1."""
    return httpx2.create_ssl_context()


class WroteTooLong(Exception):
    """A model that does not come to its end."""


class _Answer:
    """One answer as it is read, up to its end or to what is wrong with it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.length = 0
        self.is_tools = False
        self.unread = 0
        self.finish_reason = ""

    async def read_from(self, events: AsyncIterator[str], usage: Usage) -> AsyncIterator[str]:
        async for data in events:
            if data == DONE:
                break
            said = read(data)
            if said is None:
                self.unread += 1
                continue
            if text := self._taken(said):
                yield text
            _enter(said, usage)
            if self.length >= LONGEST_ANSWER:
                raise ModelUnavailable(f"{self.name} wrote without end, and was cut off here.")
        usage.finish_reason = self.finish_reason
        self._check_it_is_whole()

    def _taken(self, said: Said) -> str:
        if said.has_failed:
            raise ModelUnavailable(f"The server of {self.name} reported an error on the way.")
        self.is_tools = self.is_tools or said.asks_for_tools
        # What comes after the end of an answer is not of it.
        text = "" if self.finish_reason else storable(said.text)
        text = text[: LONGEST_ANSWER - self.length]
        self.length += len(text)
        self.finish_reason = self.finish_reason or said.finish_reason
        return text

    def _check_it_is_whole(self) -> None:
        if self.is_tools and not self.length:
            raise ModelUnavailable(f"{self.name} asked for tools in place of an answer.")
        if not self.finish_reason:  # a server that was killed may close as if it were done
            raise ModelUnavailable(f"{self.name} broke off its answer. Try again.")
        if self.finish_reason == "content_filter":
            raise ModelUnavailable(f"The server of {self.name} filtered its answer.")
        if not self.length:
            raise ModelUnavailable(f"{self.name} answered with nothing. Try again.")
        if self.unread:
            raise ModelUnavailable(
                f"Some of what the server of {self.name} sent could not be read:"
                " parts of the answer may be missing."
            )


def _enter(said: Said, usage: Usage) -> None:
    if said.usage is not None:
        usage.tokens_in = count(said.usage, "prompt_tokens")
        usage.tokens_out = count(said.usage, "completion_tokens")
        details = said.usage.get("prompt_tokens_details")
        usage.tokens_cached = count(details, "cached_tokens") if isinstance(details, dict) else None


@contextmanager
def _translated(provider: Provider) -> Iterator[None]:
    """Say in our words what went wrong; what a server wrote could hold anything."""
    name = provider.model_name
    try:
        yield
    except openai.APIStatusError as error:
        raise ModelUnavailable(_refusal(name, error)) from error
    except (openai.APITimeoutError, httpx2.TimeoutException, TimeoutError) as error:
        raise ModelUnavailable(f"{name} did not answer in time. Try again.") from error
    except (openai.APIConnectionError, httpx2.NetworkError) as error:
        raise ModelUnavailable(f"The server of {name} can't be reached, or went away.") from error
    except (EventTooLong, WroteTooLong) as error:
        raise ModelUnavailable(f"{name} wrote without end, and was cut off here.") from error
    except (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        raise ModelUnavailable(f"{name} broke off its answer. Try again.") from error


def _refusal(name: str, error: openai.APIStatusError) -> str:
    status = error.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        asked = seconds_asked_for(error.response.headers.get("retry-after", ""))
        when = f"in {in_words(asked)}" if asked else "soon"
        return f"{name} takes no more requests for now. Try again {when}."
    usual = "The server of {name} answered with error {status}."
    return STATUS_SENTENCES.get(status, usual).format(name=name, status=status)
