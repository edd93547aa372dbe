import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.redaction import looks_random, redact

# Written in halves, so that this file holds nothing that looks like a key.
RANDOM = "q7Zx" + "K2mVt9Lp4RwB8nYc6HsD3fGj5TaE1uQo"
KEYS = {
    "aws": "AKIA" + "Z7QXK2MVT9LP4RWB",
    "aws session": "ASIA" + "Z7QXK2MVT9LP4RWB",
    "github": "ghp_" + RANDOM,
    "github fine-grained": "github_pat_" + RANDOM + "_" + RANDOM,
    "gitlab": "glpat-" + RANDOM[:20],
    "openai": "sk-" + RANDOM,
    "openai project": "sk-proj-" + RANDOM,
    "anthropic": "sk-ant-" + "api03-" + RANDOM,
    "openrouter": "sk-or-v1-" + RANDOM,
    "slack": "xoxb-" + "123456789012-" + RANDOM,
    "stripe": "sk_" + "live_" + RANDOM,
    "google": "AIza" + (RANDOM + RANDOM)[:35],
    "npm": "npm_" + RANDOM,
    "own": "nightowl_" + RANDOM,
    "jwt": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + RANDOM,
    "sendgrid": "SG." + RANDOM[:22] + "." + RANDOM,
    "hugging face": "hf_" + RANDOM,
}


@pytest.mark.parametrize("secret", KEYS.values(), ids=KEYS.keys())
@pytest.mark.parametrize("line", ["key = '{}'", "{}", "use {} here", "curl -H X:{};", '"{}",'])
def test_keys_are_masked_in_place(secret: str, line: str) -> None:
    text = f"before\n{line.format(secret)}\nafter"

    redacted, count = redact(text)

    assert count == 1
    assert secret[8:] not in redacted
    assert len(redacted) == len(text)
    assert redacted.count("\n") == 2


def test_the_beginning_of_a_key_is_kept_to_tell_what_it_was() -> None:
    assert redact(KEYS["aws"])[0] == "AKIA" + "*" * 16


def test_the_body_of_a_private_key_is_masked_and_its_frame_kept() -> None:
    body = "MIIEowIBAAKCAQEA" + RANDOM
    text = (
        f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n{body}\n-----END RSA PRIVATE KEY-----\nafter\n"
    )

    redacted, count = redact(text)

    stars = "*" * len(body)
    assert count == 1
    assert redacted == text.replace(body, stars)


def test_a_private_key_in_one_line_is_masked() -> None:
    line = rf'"-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEA{RANDOM}\n-----END PRIVATE KEY-----"'

    redacted, count = redact(line)

    assert count == 1
    assert RANDOM not in redacted
    assert len(redacted) == len(line)


def test_public_keys_and_certificates_are_left() -> None:
    text = f"-----BEGIN PUBLIC KEY-----\n{RANDOM}\n-----END PUBLIC KEY-----"

    assert redact(text) == (text, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres://app:h7Gq2x@db:5432/app", "postgres://app:******@db:5432/app"),
        ("redis://:s3cr3tpw@cache/0", "redis://:********@cache/0"),
        ("https://user:p4ss.w0rd@host/x", "https://user:*********@host/x"),
    ],
)
def test_passwords_in_addresses_are_masked(text: str, expected: str) -> None:
    assert redact(text) == (expected, 1)


@pytest.mark.parametrize(
    "line",
    [
        'password = "{}"',
        "PASSWORD='{}'",
        "'secret': '{}',",
        "api_key: {}",
        "DB_PASSWORD={}",
        "clientSecret: '{}',",
        'SECRET_KEY: str = "{}"',
        "AWS_SECRET_ACCESS_KEY={}",
        "//registry.example.org/:_authToken={}",
        "auth_token => '{}'",
        "self.password == '{}'",
        # Code inside of the strings of a notebook.
        '"api_key = \\"{}\\"\\n",',
        '"config[\\"password\\"] = \\"{}\\"\\n",',
        '"export SECRET_TOKEN={}\\n",',
        "args: ['--token={}']",
    ],
)
def test_literals_given_to_a_secret_name_are_masked(line: str) -> None:
    redacted, count = redact(line.format(RANDOM))

    assert count == 1
    assert redacted == line.format("*" * len(RANDOM))


@pytest.mark.parametrize(
    "line",
    [
        "password = os.environ['DATABASE_PASSWORD_2']",
        "password = settings.EMAIL_HOST_PASSWORD2",
        "password = get_password(user2)",
        'password = "password"',
        'password = "test-password-123"',
        'password = "correct horse battery staple"',
        'token = "Authorization"',
        'token_class = "rest_framework.authtoken.Token2"',
        'api_key = "${API_KEY_2}"',
        'api_key = "{{ api_key2 }}"',
        'api_key = "your-api-key-here-1"',
        'secret = "************"',
        "key = 'aB3dE5gH7jK9mN1p'",
        "tokens = tokenize(text1)",
        "password: str | None = None",
        "https://example.org/path:80@2x.png",
        "http://user:password@host/",
        "postgres://USER:${PASSWORD}@host/",
        "git@github.com:owner/name.git",
        "sk-learn and risk-free task-oriented-programming-is-a-long-phrase",
        "the AKIAHABARA district",
        "SKIP_TOKEN_LIST = DEFAULT_TOKEN_LIST_VALUE",
    ],
)
def test_what_only_talks_of_secrets_is_left(line: str) -> None:
    assert redact(line) == (line, 0)


@pytest.mark.parametrize(
    ("literal", "expected"),
    [(RANDOM, True), ("d41d8cd98f00b204e9800998ecf8427e", True), ("authorization_code", False)],
)
def test_random_literals_are_told_from_names(literal: str, expected: bool) -> None:
    assert looks_random(literal) is expected


def test_text_whose_lower_case_is_longer_is_masked_at_the_right_place() -> None:
    redacted, count = redact(f'İİİ password = "{RANDOM}" İ')

    assert count == 1
    assert redacted == f'İİİ password = "{"*" * len(RANDOM)}" İ'


@given(
    st.text(max_size=60),
    st.sampled_from(sorted(KEYS.values())),
    st.text(max_size=60),
)
def test_no_secret_survives_and_nothing_moves(before: str, secret: str, after: str) -> None:
    text = f"{before}\n{secret}\n{after}"

    redacted, _ = redact(text)

    assert secret not in redacted
    assert len(redacted) == len(text)
    assert [match.start() for match in re.finditer("\n", redacted)] == [
        match.start() for match in re.finditer("\n", text)
    ]


@given(st.text(max_size=200))
def test_masking_twice_masks_nothing_more(text: str) -> None:
    redacted, _ = redact(text)

    assert redact(redacted)[0] == redacted


@pytest.mark.parametrize(
    "unit",
    [
        *("eyJ", "sk-", "ghp_", "://a:", "token", "token = ", 'password="', "tokenkeysecret-"),
        *("-----BEGIN PRIVATE KEY-----\n", "AKIA", "SG.a", "xoxb-", "api_key: ", "a", "=", "İ"),
    ],
)
def test_a_megabyte_of_anything_takes_less_than_a_second(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))

    started = time.process_time()
    redact(text)

    assert time.process_time() - started < 1
