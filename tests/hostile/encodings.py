"""Texts in every encoding that somebody still writes, and bytes that pretend to be text."""

import random

from tests.hostile.building import of_files
from tests.hostile.fixtures import Hostile

JAPANESE = "これは日本語のコメントです。カタカナも漢字もあります。\n" * 4
CHINESE = "这是中文的注释。我们在这里写一些常见的汉字，看看能不能读出来。\n" * 4
GERMAN = "Größe = 'Straße'  # Käse für Anfänger\n"

# The bytes of each file, and a part of the text that must come of them.
ENCODED: dict[str, tuple[bytes, str]] = {
    "utf8-mark.py": (b"\xef\xbb\xbf" + GERMAN.encode(), GERMAN),
    "utf16-le-mark.py": (b"\xff\xfe" + GERMAN.encode("utf-16-le"), GERMAN),
    "utf16-be-mark.py": (b"\xfe\xff" + GERMAN.encode("utf-16-be"), GERMAN),
    "utf16-le.py": (GERMAN.encode("utf-16-le"), GERMAN),
    "utf16-be.py": (GERMAN.encode("utf-16-be"), GERMAN),
    "utf32-mark.py": (b"\xff\xfe\0\0" + GERMAN.encode("utf-32-le"), GERMAN),
    "latin-1.py": (GERMAN.encode("latin-1"), GERMAN),
    "shift-jis.txt": (JAPANESE.encode("shift_jis"), JAPANESE),
    "gb18030.txt": (CHINESE.encode("gb18030"), CHINESE),
    "mixed.py": (GERMAN.encode() * 40 + GERMAN.encode("latin-1"), GERMAN),
    "nul-inside.py": (b"first = 1\n" * 20 + b"nul\0 = 2\n", "nul\ufffd = 2"),
    "cesu-8.txt": (b"smile: \xed\xa0\xbd\xed\xb8\x80\n", "smile: \U0001f600"),
    "lone-surrogate.txt": (b"lone: \xed\xa0\xbd.\n", "lone: \ufffd."),
    "only-a-mark.txt": (b"\xef\xbb\xbf", ""),
    "nothing.txt": (b"", ""),
    "crlf.py": (b"a = 1\r\nb = 2\r\n", "a = 1\nb = 2\n"),
    "cr.py": (b"a = 1\rb = 2\r", "a = 1\nb = 2\n"),
    "nel.txt": (
        "one\u0085two\u2028three\u2029four\n".encode(),
        "one\u0085two\u2028three\u2029four",
    ),
    "overlong.txt": (b"slash: \xc0\xaf and more text here\n", "slash: "),
    "escape.log": (b"\x1b[31mred\x1b[0m\x07\n" * 3 + b"plain text follows it\n" * 30, "plain"),
}
PRETENDING: dict[str, bytes] = {
    "picture.py": b"\x89PNG\r\n\x1a\n" + bytes(200),
    "program.py": b"\x7fELF\x02\x01\x01" + bytes(200),
    "archive.md": b"PK\x03\x04" + b"text that looks harmless\n" * 20,
    "polyglot.js": b"GIF89a/*" + b"\0\x01" * 9 + b"*/=1;alert(1);\n",
    "paper.html": b"%PDF-1.7\n<script>alert(1)</script>\n",
    "noise.go": random.Random(7).randbytes(50_000),
    "zeros.txt": bytes(50_000),
}
# Text for as long as anybody looks, then bytes: it is indexed, and must be shown safely.
LATE = b"value = 1  # ordinary\n" * 1000 + bytes(range(256)) * 20

ENCODINGS = [
    Hostile(
        name="encodings",
        build=lambda path: of_files(path, {name: data for name, (data, _) in ENCODED.items()}),
        indexed=len(ENCODED),
        quick=True,
    ),
    Hostile(
        name="binary in disguise",
        build=lambda path: of_files(path, PRETENDING | {"late.py": LATE}),
        reasons=dict.fromkeys(PRETENDING, "binary"),
        indexed=1,
        quick=True,
    ),
]
