import os

import pytest

from knowledge.languages import (
    collection_of,
    file_type,
    is_binary,
    kind_of,
    language_of,
    layer_of,
    looks_generated,
    skip_reason,
)


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("src/app.py", "python"),
        ("types.pyi", "python"),
        ("src/App.tsx", "tsx"),
        ("src/index.ts", "typescript"),
        ("src/index.mjs", "javascript"),
        ("main.go", "go"),
        ("Main.java", "java"),
        ("lib.rs", "rust"),
        ("a.h", "c"),
        ("a.hpp", "cpp"),
        ("Program.cs", "csharp"),
        ("app.rb", "ruby"),
        ("Rakefile", "ruby"),
        ("index.php", "php"),
        ("schema.SQL", "sql"),
        ("run.sh", "shell"),
        ("README.md", "markdown"),
        ("index.rst", "rst"),
        ("data.tsv", "csv"),
        (".github/workflows/ci.yml", "yaml"),
        ("package.json", "json"),
        ("pyproject.toml", "toml"),
        ("setup.cfg", "ini"),
        ("notes.ipynb", "notebook"),
        ("Dockerfile", "dockerfile"),
        ("docker/Dockerfile.web", "dockerfile"),
        ("requirements.txt", "text"),
        ("requirements.md", "markdown"),
        ("Dockerfile.md", "markdown"),
        ("App.kt", "kotlin"),
        ("LICENSE", "text"),
        ("no-extension", "text"),
    ],
)
def test_a_path_tells_the_language(path: str, language: str) -> None:
    assert language_of(path) == language


@pytest.mark.parametrize(
    ("path", "extension"), [("a/b.PY", "py"), ("a.tar.gz", "gz"), (".env", ""), ("Makefile", "")]
)
def test_the_file_type_is_the_extension(path: str, extension: str) -> None:
    assert file_type(path) == extension


@pytest.mark.parametrize(
    ("path", "kind"),
    [("a.py", "code"), ("a.md", "docs"), ("a.txt", "docs"), ("a.json", "data"), ("a.css", "code")],
)
def test_code_docs_and_data_are_told_apart(path: str, kind: str) -> None:
    assert kind_of(path) == kind


@pytest.mark.parametrize(
    ("path", "layer"),
    [
        ("tests/test_app.py", "test"),
        ("src/app.test.ts", "test"),
        ("pkg/server_test.go", "test"),
        ("src/test/java/ShopTest.java", "test"),
        ("app/migrations/0001_initial.py", "migration"),
        ("app/locale/de/LC_MESSAGES/django.po", "translation"),
        ("shop/views.py", "view"),
        ("shop/views/cart.py", "view"),
        ("app/models/user.rb", "model"),
        ("config/settings.py", "config"),
        ("pyproject.toml", "config"),
        ("Dockerfile", "build"),
        (".github/workflows/ci.yml", "build"),
        ("README.md", "documentation"),
        ("docs/index.rst", "documentation"),
        ("CHANGES", "documentation"),
        ("examples/tutorial/app.py", "example"),
        ("shop/urls.py", "route"),
        ("templates/base.html", "template"),
        ("static/app.css", "style"),
        ("db/schema.sql", "schema"),
        ("src/flask/app.py", "source"),
        ("lib/latest.py", "source"),
    ],
)
def test_a_path_tells_the_layer(path: str, layer: str) -> None:
    assert layer_of(path) == layer


@pytest.mark.parametrize(
    ("path", "metadata", "collection"),
    [
        ("src/app.py", {}, "code-chunks"),
        ("package.json", {}, "code-chunks"),
        ("docs/usage.md", {}, "documents"),
        ("docs/intro.txt", {}, "documents"),
        ("docs/adr/0001.md", {}, "architecture"),
        ("architecture/overview.md", {}, "architecture"),
        ("docs/standards/naming.md", {}, "standards"),
        ("conventions/python.md", {}, "standards"),
        ("docs/schemas/orders.md", {}, "schemas"),
        ("standards/loader.py", {}, "code-chunks"),
        ("notes/a.md", {"title": "A", "category": "style", "tags": []}, "standards"),
        ("standards/a.md", {"area": "core", "keyFiles": []}, "architecture"),
        ("notes/a.md", {"table": "orders", "columns": []}, "schemas"),
        ("notes/a.md", {"title": "A"}, "documents"),
        ("notes/a.md", {"area": "core", "key_files": []}, "architecture"),
        ("notes/a.md", {"Area": "core", "Key-Files": []}, "architecture"),
        ("notes/a.txt", {"category": "x", "tags": []}, "standards"),
        ("src/a.py", {"category": "x", "tags": []}, "code-chunks"),
    ],
)
def test_front_matter_then_folder_then_kind_decide_the_collection(
    path: str, metadata: dict[str, object], collection: str
) -> None:
    assert collection_of(path, metadata) == collection
    assert collection_of(path, metadata, "schemas") == "schemas"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("node_modules/react/index.js", "vendored"),
        ("web/node_modules/x/y.ts", "vendored"),
        ("vendor/github.com/x/y.go", "vendored"),
        ("third_party/zlib/a.c", "vendored"),
        ("static/jquery.min.js", "generated"),
        ("app.css.map", "generated"),
        ("api/shop_pb2.py", "generated"),
        ("api/shop.pb.go", "generated"),
        (".venv/lib/site.py", "generated"),
        ("package-lock.json", "lock file"),
        ("web/yarn.lock", "lock file"),
        ("poetry.lock", "lock file"),
        ("go.sum", "lock file"),
        (".env", "secret file"),
        ("deploy/.env.production", "secret file"),
        (".npmrc", "secret file"),
        (".netrc", "secret file"),
        ("home/.ssh/id_rsa", "secret file"),
        ("certs/server.pem", "secret file"),
        ("certs/server.key", "secret file"),
        ("secrets.yaml", "secret file"),
        ("terraform.tfstate", "secret file"),
        ("logo.png", "binary"),
        ("lib/app.jar", "binary"),
        ("locale/de.mo", "binary"),
    ],
)
def test_files_that_are_not_read_say_why(path: str, reason: str) -> None:
    assert skip_reason(path) == reason


@pytest.mark.parametrize(
    "path",
    [
        "build/backend.py",
        "src/build/compiler.ts",
        "dist/readme.md",
        "src/vendors.py",
        ".env.example",
        ".github/workflows/ci.yml",
        "locksmith.py",
        "src/secrets.py",
        "src/tokens/key.py",
        "docs/credentials.md",
        "id_rsa.md",
        "src/mapper.ts",
        "admin.py",
        "target/main.rs",
        "flask.lock.py",
    ],
)
def test_ordinary_source_is_read(path: str) -> None:
    assert skip_reason(path) == ""


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n",
        b"%PDF-1.7 text",
        b"PK\x03\x04rest",
        b"\x7fELF\x02\x01\x01",
        b"\0" * 20,
        bytes(range(256)) * 4,
        os.urandom(4_096),
        b"text then " + b"\0\1\2\3" * 20,
    ],
)
def test_binary_content_is_told_whatever_its_name(data: bytes) -> None:
    assert is_binary(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain text\r\n\tand tabs\n",
        "日本語のテキスト".encode("shift_jis"),
        "这是中文文件".encode("gb18030"),
        "naïve".encode("latin-1"),
        "wide text".encode("utf-16"),
        "wide text without a mark".encode("utf-16-le"),
        "wide text without a mark".encode("utf-16-be"),
        b"one nul \0 in a long enough text is no binary file" * 2 + b"x" * 100,
        b"\x1b[31mcolours\x1b[0m",
    ],
)
def test_text_in_any_encoding_is_not_binary(data: bytes) -> None:
    assert not is_binary(data)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("// Code generated by protoc-gen-go. DO NOT EDIT.\n", True),
        ("/* @generated */\n", True),
        ("// <auto-generated>\n", True),
        ("# This file was auto-generated; do not edit.\n", True),
        ("def generated(): ...\n", False),
    ],
)
def test_generated_files_say_so(text: str, expected: bool) -> None:
    assert looks_generated(text) is expected


def test_code_that_looks_for_the_marks_of_generated_code_is_not_generated() -> None:
    assert not looks_generated('MARK = re.compile(\n    r"@generated"\n)\n')
    assert looks_generated("// @generated by a tool\nexport {};\n")
    assert looks_generated("/*\n * Code generated by protoc. DO NOT EDIT.\n */\n")
