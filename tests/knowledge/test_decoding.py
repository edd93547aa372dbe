import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.decoding import decode

JAPANESE = (
    "日本語のテキストです。検索エンジンは文書を読み、答えを返します。\n"
    "設定ファイルを変更してください。\n"
)
CHINESE = "这是一个中文文件。搜索引擎读取文档并返回答案。\n请修改配置文件,然后重新启动服务器。\n"
KOREAN = "이것은 한국어 문서입니다. 검색 엔진은 문서를 읽고 답을 돌려줍니다.\n"
RUSSIAN = "Это русский документ. Поиск читает документы и возвращает ответы.\n"
FRENCH = "Voilà un fichier écrit à l'été, où l'on répète « déjà vu ».\n"


@pytest.mark.parametrize(
    ("text", "codec", "encoding"),
    [
        ("plain text\n", "ascii", "utf-8"),
        ("naïve café\n", "utf-8", "utf-8"),
        ("with a mark\n", "utf-8-sig", "utf-8"),
        ("wide text, with a mark\n", "utf-16", "utf-16"),
        ("wide text, no mark\n" * 3, "utf-16-le", "utf-16-le"),
        ("wide text, no mark\n" * 3, "utf-16-be", "utf-16-be"),
        ("very wide\n", "utf-32", "utf-32"),
        (JAPANESE, "shift_jis", "shift-jis"),
        (JAPANESE, "euc_jp", "euc-jp"),
        (JAPANESE, "iso2022_jp", "iso2022-jp"),
        (f"# コメント\nname = '値'  # {JAPANESE}", "cp932", "shift-jis"),
        (CHINESE, "gb18030", "gb18030"),
        ("print('你好')  # 打印一个问候\n", "gb18030", "gb18030"),
        (KOREAN, "euc_kr", "euc-kr"),
        (RUSSIAN, "cp1251", "cp1251"),
        (FRENCH, "latin-1", "latin-1"),
        ("Grüße aus Köln\n", "latin-1", "latin-1"),
        ("© 2009 José\n", "latin-1", "latin-1"),
        ("“quoted” – and dashed…\n", "cp1252", "latin-1"),
    ],
)
def test_text_is_read_in_the_encoding_it_was_written_in(
    text: str, codec: str, encoding: str
) -> None:
    decoded = decode(text.encode(codec))

    assert decoded.text == text
    assert decoded.encoding == encoding


def test_another_encoding_is_noted_and_utf8_is_not() -> None:
    assert decode(JAPANESE.encode("shift_jis")).note == "decoded from shift-jis"
    assert decode(JAPANESE.encode()).note == ""


def test_a_few_broken_bytes_do_not_change_the_encoding_of_the_rest() -> None:
    data = (JAPANESE * 5).encode() + b"\xff\n" + JAPANESE.encode()

    decoded = decode(data)

    assert decoded.text == JAPANESE * 5 + "\ufffd\n" + JAPANESE
    assert decoded.note == "some bytes were not UTF-8"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"\xef\xbb\xbf", ""),
        (b"\xff\xfe", ""),
        (b"one\r\ntwo\r\n", "one\ntwo\n"),
        (b"one\rtwo\r", "one\ntwo\n"),
        (b"a lone\rreturn\n", "a lone\rreturn\n"),
        ("next\x85line\u2028separator\n".encode(), "next\x85line\u2028separator\n"),
        (b"nul\0inside\n" + b"x" * 99, "nul\ufffdinside\n" + "x" * 99),
        (b"lone \xed\xa0\xbd surrogate", "lone \ufffd surrogate"),
        (b"a pair \xed\xa0\xbd\xed\xb8\x80", "a pair \U0001f600"),
    ],
)
def test_line_ends_and_characters_that_cannot_be_stored(data: bytes, text: str) -> None:
    assert decode(data).text == text


def test_a_lone_surrogate_in_utf16_is_replaced() -> None:
    data = b"\xff\xfe" + "ab".encode("utf-16-le") + b"\x00\xd8" + "cd".encode("utf-16-le")

    assert decode(data).text == "ab\ufffdcd"


def test_replaced_characters_are_noted() -> None:
    note = decode(b"text\0" + b"more text" * 20).note

    assert note == "characters that cannot be stored were replaced"


@given(st.binary(max_size=300))
def test_any_bytes_become_text_that_can_be_stored(data: bytes) -> None:
    text = decode(data).text

    assert "\0" not in text
    text.encode()


@given(st.text(alphabet=st.characters(exclude_characters="\r\0", exclude_categories=["Cs"])))
def test_utf8_is_read_as_it_is(text: str) -> None:
    data = text.encode()
    if data.startswith(b"\xef\xbb\xbf") or b"\x1b$" in data:
        return

    assert decode(data).text == text


def test_two_megabytes_are_read_at_once() -> None:
    started = time.perf_counter()
    decode((FRENCH * 40_000).encode("latin-1")[: 2 * 1024 * 1024])

    assert time.perf_counter() - started < 1
