"""Secrets that a change puts into the code: found once each, and told by how sure they are."""

import pytest

from reviews.secrets import secrets_in
from tests.reviews.changing import changed

# Put together here, so that nobody finds them in this file.
CLOUD = "AKIA" + "Z7QW3E8R2T6Y1U5P"
FORGE = "ghp_" + "a8Kd93jfLq02mXz7Tb4R" * 2
MIXED = "h7Gk2" + "Qp9Xv4Lm8"
PEM = (
    "-----BEGIN RSA PRIVATE " + "KEY-----\n",
    *(f"{line:016d}abcdefghijklmnopqrstuvwxyz\n" for line in range(8)),
    "-----END RSA PRIVATE " + "KEY-----\n",
)


def found(path, text, *, name="owl.py", before=""):
    start = {"x.md": "x\n"} | ({name: before} if before else {})
    return [
        (one.start_line, one.severity, one.confidence)
        for one in secrets_in(changed(path, start, {name: text}))
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f'key = "{CLOUD}"', ("critical", 0.9)),
        (f"token: {FORGE}", ("critical", 0.9)),
        (f'password = "{MIXED}"', ("warning", 0.75)),
        ('db_password = "owl12345"', ("warning", 0.75)),
        ('API_KEY: str = "4owl-2345"', ("warning", 0.75)),
        ("client_secret := `4owl_2345`", ("warning", 0.75)),
        ('config["auth_token"] = "abc123def456"', ("warning", 0.75)),
        (f'url = "postgres://owl:{MIXED}@db/owl"', ("warning", 0.75)),
        ('password = "password"', None),
        ('password = "changeme-123"', None),
        ('password = "your-password-1"', None),
        ('password = "${DB_PASSWORD_1}"', None),
        ('password = "my-password"', None),
        ('password = "owl-12345"', None),  # a name
        ('password = "short1"', None),
        ('secret = "https://vault.example.org/1"', None),
        ('secret = os.environ["SECRET_1"]', None),
        ('name = "owl12345"', None),
        ('password_field = "user_password_2"', None),
        ("x = 12345678", None),
    ],
)
def test_a_secret_is_told_by_its_form_or_by_its_name(tmp_path, line, expected):
    said = found(tmp_path, f"import os\n\n{line}\n")
    assert said == ([(3, *expected)] if expected else [])


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("owl.py", "critical"),
        ("deploy/a.yml", "critical"),
        ("tests/test_owl.py", "info"),
        ("examples/owl.py", "info"),
        ("README.md", "info"),
    ],
)
def test_a_secret_in_what_only_shows_is_a_remark(tmp_path, name, severity):
    assert found(tmp_path, f'key = "{CLOUD}"\n', name=name) == [(1, severity, 0.9)]


@pytest.mark.parametrize(
    "text",
    [
        'import os\n\nkey = "{}"\n',
        'key = "{}"\nkey = "{}"\n',  # the line is known
        "x = 1\n",
    ],
    ids=["moved", "again", "gone"],
)
def test_a_secret_that_stood_there_before_is_not_new(tmp_path, text):
    assert found(tmp_path, text.replace("{}", CLOUD), before=f'key = "{CLOUD}"\n') == []


def test_a_new_secret_beside_an_old_one_is_found(tmp_path):
    old = f'password = "{MIXED}"\n'
    assert found(tmp_path, f'{old}key = "{CLOUD}"\n', before=old) == [(2, "critical", 0.9)]


@pytest.mark.parametrize("indent", ["", "    "])
def test_a_private_key_is_one_secret_however_many_lines_it_has(tmp_path, indent):
    key = "".join(f"{indent}{line}" for line in PEM)
    text = f'import os\n\nKEY = """\n{key}"""\npassword = "{MIXED}"\n'
    said = found(tmp_path, text)
    assert said == [(5, "critical", 0.9), (15, "warning", 0.75)]


def test_a_private_key_without_an_end_hides_no_other_secret(tmp_path):
    text = f'{"".join(PEM[:-1])}password = "{MIXED}"\n'
    assert found(tmp_path, text) == [(2, "critical", 0.9), (10, "warning", 0.75)]


def test_a_private_key_that_is_put_in_place_of_another_is_found_once(tmp_path):
    before = "".join(PEM).replace("abc", "xyz").replace("0", "1", 9)
    assert found(tmp_path, "".join(PEM), before=before) == [(2, "critical", 0.9)]


def test_the_reason_names_no_secret(tmp_path):
    change = changed(tmp_path, {"x.md": "x\n"}, {"owl.py": f'key = "{CLOUD}"\n'})
    (one,) = secrets_in(change)
    assert (one.rule, one.category) == ("nightowl/hardcoded-secret", "security")
    assert CLOUD not in one.claim + one.evidence + one.reference
    assert one.reference == "CWE-798, Use of Hard-coded Credentials"
