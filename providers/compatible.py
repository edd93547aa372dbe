"""Models that answer behind the OpenAI API, whoever serves it."""

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import httpx2
import openai
from django.conf import settings
from openai.types.chat import ChatCompletionMessageParam

from providers.chat import ChatMessage, ModelUnavailable, Usage
from providers.models import Provider

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
PATIENCE = 120.0  # seconds without a piece after which a model counts as gone
LONGEST_ANSWER = 200_000  # characters


def api_key(provider: Provider) -> str:
    """Return the key from the environment; local servers often need none."""
    if provider.from_environment:
        return settings.LLM_API_KEY or "none"
    variable = provider.api_config.get("api_key_variable") or USUAL_KEY_VARIABLE.get(
        Provider.Name(provider.provider_name), ""
    )
    return os.environ.get(variable, "") or "none"


class CompatibleChat:
    async def stream(
        self, provider: Provider, messages: Sequence[ChatMessage], usage: Usage
    ) -> AsyncIterator[str]:
        config = provider.api_config
        with _translated(provider):
            # Made for each answer and closed with it: a client belongs to one event loop.
            async with openai.AsyncOpenAI(
                base_url=config.get("base_url")
                or USUAL_ADDRESS[Provider.Name(provider.provider_name)],
                api_key=api_key(provider),
                timeout=config.get("timeout", PATIENCE),
                max_retries=1,
            ) as client:
                async for piece in self._pieces(client, provider, messages, usage):
                    yield piece

    async def _pieces(
        self,
        client: openai.AsyncOpenAI,
        provider: Provider,
        messages: Sequence[ChatMessage],
        usage: Usage,
    ) -> AsyncIterator[str]:
        config = provider.api_config
        length, is_whole = 0, False
        chunks = await client.chat.completions.create(
            model=provider.model_name,
            messages=cast(
                list[ChatCompletionMessageParam],
                [{"role": m.role, "content": m.content} for m in messages],
            ),
            temperature=config.get("temperature", 0.2),
            max_tokens=config.get("max_tokens", 1024),
            stream=True,
            stream_options={"include_usage": True},
        )
        async with chunks:
            async for chunk in chunks:
                _count(chunk, usage)
                for choice in chunk.choices or ():
                    is_whole = is_whole or choice.finish_reason is not None
                    if choice.delta.content:
                        length += len(choice.delta.content)
                        yield choice.delta.content
                if length > LONGEST_ANSWER:
                    return
        if not is_whole:  # a server that was killed may close its stream as if it were done
            raise ModelUnavailable(f"{provider.model_name} broke off its answer. Try again.")


def _count(chunk: Any, usage: Usage) -> None:
    if chunk.usage is not None:
        usage.tokens_in = chunk.usage.prompt_tokens
        usage.tokens_out = chunk.usage.completion_tokens
        details = chunk.usage.prompt_tokens_details
        usage.tokens_cached = details.cached_tokens if details else None


@contextmanager
def _translated(provider: Provider) -> Iterator[None]:
    """Say in our words what went wrong; what a server wrote could hold anything."""
    name = provider.model_name
    try:
        yield
    except openai.AuthenticationError as error:
        raise ModelUnavailable(f"{name} refused the API key; check its variable.") from error
    except openai.NotFoundError as error:
        raise ModelUnavailable(f"The server knows no model named {name}.") from error
    except openai.RateLimitError as error:
        raise ModelUnavailable(f"{name} takes no more requests for now. Try again soon.") from error
    except openai.APITimeoutError as error:
        raise ModelUnavailable(f"{name} did not answer in time. Try again.") from error
    except openai.APIConnectionError as error:
        raise ModelUnavailable(f"The server of {name} can't be reached, or went away.") from error
    except openai.APIStatusError as error:
        status = error.status_code
        raise ModelUnavailable(f"The server of {name} answered with error {status}.") from error
    except (openai.OpenAIError, httpx2.HTTPError, ValueError) as error:
        raise ModelUnavailable(f"{name} broke off its answer. Try again.") from error
