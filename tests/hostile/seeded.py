"""Fake secrets of every kind, in every kind of file; none may be stored, shown, sent or logged."""

import json
import random
import re
import string
from pathlib import Path

from tests.hostile.building import commit_command, fast_import, file_command
from tests.hostile.fixtures import Hostile
from tests.projects.repositories import Repository

_CHOICE = random.Random(20260102)


def _letters(count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(_CHOICE.choice(alphabet) for _ in range(count))


def _pem(kind: str) -> list[str]:
    rows = [_letters(64) for _ in range(4)]
    return [f"-----BEGIN {kind}-----", *rows, f"-----END {kind}-----"]


UPPER = string.ascii_uppercase + string.digits
KEYS = {
    "aws id": "AKIA" + _letters(16, UPPER),
    "github": "ghp_" + _letters(36),
    "github fine": "github_pat_" + _letters(60),
    "gitlab": "glpat-" + _letters(20),
    "openai": "sk-proj-" + _letters(48),
    "anthropic": "sk-ant-api03-" + _letters(80),
    "slack": "xoxb-" + _letters(12, string.digits) + "-" + _letters(24),
    "stripe": "sk_live_" + _letters(24),
    "google": "AIza" + _letters(35),
    "npm": "npm_" + _letters(36),
    "pypi": "pypi-" + _letters(80),
    "hugging face": "hf_" + _letters(34),
    "sendgrid": "SG." + _letters(22) + "." + _letters(43),
    "jwt": f"eyJ{_letters(30)}.eyJ{_letters(60)}.{_letters(43)}",
    "own": "nightowl_" + _letters(40),
}
LITERALS = {
    "aws_secret_access_key": _letters(38) + "+/",
    "db_password": _letters(14) + "9x!",
    "api_token": _letters(32, "0123456789abcdef") + "a1",
}
RSA, EC, OPENSSH = _pem("RSA PRIVATE KEY"), _pem("EC PRIVATE KEY"), _pem("OPENSSH PRIVATE KEY")
IN_ADDRESS = _letters(15) + "7z"
IN_COMMIT = "ghp_" + _letters(36)
# Whole files that are never read, by their names.
IN_FILES = {
    ".env": f"PLAIN={_letters(20)}\n",
    "deploy/.env.production": f"PLAIN={_letters(20)}\n",
    ".npmrc": f"//registry.example.org/:_auth={_letters(20)}\n",
    ".netrc": f"machine example.org login a password {_letters(20)}\n",
    ".pypirc": f"[pypi]\npassword: {_letters(20)}\n",
    "id_ed25519": "\n".join(_pem("OPENSSH PRIVATE KEY")),
    "server.pem": "\n".join(_pem("PRIVATE KEY")),
    "credentials.json": json.dumps({"plain": _letters(20)}),
    "terraform.tfstate": json.dumps({"plain": _letters(20)}),
}


def _python() -> str:
    rows = [f'{name.upper()} = "{value}"' for name, value in LITERALS.items()]
    rows += [f'CALL_{number} = client("{key}")' for number, key in enumerate(KEYS.values())]
    rows += [f'URL = "postgres://app:{IN_ADDRESS}@db.example.org/app"', "def used():", "    pass"]
    return "\n".join([*rows, 'PEM = """', *RSA, '"""', ""])


def _yaml() -> str:
    rows = [f"{name}: '{value}'" for name, value in LITERALS.items()]
    rows += [f"key_{number}: {key}" for number, key in enumerate(KEYS.values())]
    return "\n".join([*rows, "pem: |", *(f"  {row}" for row in EC), ""])


def _markdown() -> str:
    rows = [f"- `{key}`" for key in KEYS.values()]
    rows += [
        "```sh",
        *(f"export {name.upper()}={value}" for name, value in LITERALS.items()),
        "```",
    ]
    return "\n".join(["# How to deploy", *rows, *OPENSSH, ""])


def _json() -> str:
    return json.dumps({"keys": list(KEYS.values()), **LITERALS, "pem": "\n".join(RSA)}, indent=1)


def _notebook() -> str:
    source = [f'{name} = "{value}"\n' for name, value in LITERALS.items()]
    source += [f"use('{key}')\n" for key in KEYS.values()]
    printed = [f"{key}\n" for key in KEYS.values()]
    cell = {
        "cell_type": "code",
        "metadata": {},
        "execution_count": 1,
        "source": source,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": printed}],
    }
    pem = {"cell_type": "markdown", "metadata": {}, "source": [f"{row}\n" for row in EC]}
    return json.dumps({"cells": [cell, pem], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def _log() -> str:
    rows = [f"2026-01-02 INFO sent Authorization: Bearer {key} to host" for key in KEYS.values()]
    return "\n".join([*rows, f"GET https://app:{IN_ADDRESS}@host.example.org/x", ""])


def with_secrets(path: Path) -> Path:
    repository = Repository(path)
    files = {
        "settings.py": _python(),
        "deploy.yaml": _yaml(),
        "README.md": _markdown(),
        "config.json": _json(),
        "tried.ipynb": _notebook(),
        "run.log": _log(),
        "rows.csv": "name,key\n" + "".join(f"{name},{key}\n" for name, key in KEYS.items()),
        **IN_FILES,
    }
    commands = [commit_command(1, message=f"Remove the token {IN_COMMIT}".encode())]
    commands += [file_command(name, text.encode()) for name, text in files.items()]
    fast_import(repository, commands)
    return path


def _telling(secret: str) -> str:
    """A part of a secret that says nothing when it is masked, and everything when it is not."""
    return secret[8:] if len(secret) > 24 else secret[5:]


SEEDS = (
    *(_telling(key) for key in (*KEYS.values(), *LITERALS.values(), IN_ADDRESS, IN_COMMIT)),
    *(row for pem in (RSA, EC, OPENSSH) for row in pem[1:-1]),
    *(max(re.findall(r"[A-Za-z0-9]{20,}", text), key=len) for text in IN_FILES.values()),
)
SECRETS = Hostile(
    name="secrets",
    build=with_secrets,
    indexed=7,
    reasons=dict.fromkeys(IN_FILES, "secret file"),
    absent=SEEDS,
)
