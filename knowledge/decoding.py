"""Bytes to text that PostgreSQL accepts, whatever wrote them."""

import codecs
import re
from dataclasses import dataclass

SAMPLE = 65_536

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_ODD_CONTROLS = re.compile("[\x01-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f\x80-\x84\x86-\x9f\ufffd]")
# Characters that are frequent in text of each encoding, rare in text read with the wrong one.
_LIKELY = {
    "cp932": re.compile("[\u3040-\u30ff\u3001\u3002\uff01-\uff5e\u4e00-\u9fff]"),
    "euc_jp": re.compile("[\u3040-\u30ff\u3001\u3002\uff01-\uff5e\u4e00-\u9fff]"),
    "gb18030": re.compile("[\u3000-\u3002\uff01-\uff5e\u4e00-\u9fff]"),
    "big5": re.compile("[\u3000-\u3002\uff01-\uff5e\u4e00-\u9fff]"),
    "euc_kr": re.compile("[\uac00-\ud7a3\u3001\u3002]"),
}
_KANA = re.compile("[\u3040-\u30ff]")
_HALF_KANA = re.compile("[\uff61-\uff9f]")
_LATIN_LETTERS = re.compile("[A-Za-z\u00c0-\u024f]")
_CYRILLIC = re.compile("[\u0410-\u044f\u0401\u0451]")


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text, the encoding it was in, and what was changed to make it storable."""

    text: str
    encoding: str
    note: str = ""


def decode(data: bytes) -> Decoded:
    """The text of a file: lines end at line feeds, as git counts them; no NUL, no surrogates."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _stored(data.decode(encoding, errors="replace"), encoding.removesuffix("-sig"))
    if wide := utf16_without_mark(data):
        return _stored(data.decode(wide, errors="replace"), wide)
    if b"\x1b$" in data[:SAMPLE]:
        try:
            return _stored(data.decode("iso2022_jp"), "iso2022-jp")
        except UnicodeDecodeError:
            pass
    for errors in ("strict", "surrogatepass"):
        try:
            return _stored(data.decode(errors=errors), "utf-8")
        except UnicodeDecodeError:
            continue
    return _decode_legacy(data)


def utf16_without_mark(data: bytes) -> str:
    """`utf-16-le` or `utf-16-be` when every second byte is mostly NUL, else nothing."""
    sample = data[: SAMPLE - SAMPLE % 2]
    half = len(sample) // 2
    if half < 2 or b"\0" not in sample:
        return ""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    for encoding, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros * 10 >= half and others * 50 <= half and _reads_as(sample, encoding):
            return encoding
    return ""


def _reads_as(sample: bytes, encoding: str) -> bool:
    text = sample[: len(sample) - len(sample) % 2].decode(encoding, errors="replace")
    return len(_ODD_CONTROLS.findall(text)) * 50 <= len(text)


def _decode_legacy(data: bytes) -> Decoded:
    sample = data[:SAMPLE]
    repaired = sample.decode(errors="replace")
    broken = repaired.count("\ufffd")
    high = sum(byte > 127 for byte in sample)
    if broken * 20 <= high:
        return _stored(data.decode(errors="replace"), "utf-8", "some bytes were not UTF-8")
    scores = {encoding: _multibyte_score(sample, encoding, high) for encoding in _LIKELY}
    best = max(scores, key=lambda encoding: scores[encoding])
    if scores[best] > 0.6:
        name = {"cp932": "shift-jis", "euc_jp": "euc-jp", "euc_kr": "euc-kr"}.get(best, best)
        return _stored(data.decode(best, errors="replace"), name)
    encoding = "cp1251" if _is_cyrillic(sample) else "cp1252"
    return _stored(_single_bytes(data, encoding), encoding if encoding == "cp1251" else "latin-1")


def _multibyte_score(sample: bytes, encoding: str, high: int) -> float:
    """The share of the non-ASCII text that looks real in that encoding; negative for none."""
    text = sample.decode(encoding, errors="replace")
    foreign = sum(character > "\x7f" for character in text)
    errors = text.count("\ufffd")
    if not foreign or errors > 1 + foreign // 50:
        return -1.0
    likely = len(_LIKELY[encoding].findall(text))
    score = likely / foreign - 0.5 * len(_HALF_KANA.findall(text)) / foreign
    if encoding in {"cp932", "euc_jp"}:
        # Without kana, Chinese is likelier than Japanese.
        return score + (0.3 if len(_KANA.findall(text)) * 8 > foreign else -0.15)
    if encoding == "euc_kr":
        # Chinese read as Korean is hanja for a good half; Korean has next to none.
        return score + 0.3 if score > 0.85 else score - 0.3
    if encoding in {"gb18030", "big5"}:
        common = _common_lead_bytes(sample, encoding)
        return score * (0.5 + 0.6 * common) if high > 3 else score * 0.5
    return score


def _common_lead_bytes(sample: bytes, encoding: str) -> float:
    """The share of double bytes in the part of the table that holds the frequent characters."""
    pairs = re.findall(rb"[\x81-\xfe][\x40-\xfe]", sample)
    low, top = {"gb18030": (0xB0, 0xD7), "big5": (0xA4, 0xC6)}[encoding]
    if not pairs:
        return 0.0
    trailing = 0xA1 if encoding != "big5" else 0x40
    common = sum(low <= pair[0] <= top and pair[1] >= trailing for pair in pairs)
    return float(common / len(pairs))


def _is_cyrillic(sample: bytes) -> bool:
    text = sample.decode("cp1251", errors="replace")
    foreign = sum(character > "\x7f" for character in text)
    words = re.findall("[\u0410-\u044f\u0401\u0451]{3,}", text)
    return foreign > 8 and sum(map(len, words)) > 0.7 * foreign


def _single_bytes(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode("latin-1" if encoding == "cp1252" else encoding, errors="replace")


def _stored(text: str, encoding: str, note: str = "") -> Decoded:
    notes = [note] if note else []
    if encoding != "utf-8":
        notes.append(f"decoded from {encoding}")
    if _PAIR.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if "\r" in text:
        text = text.replace("\r\n", "\n")
        if "\r" in text and "\n" not in text:
            text = text.replace("\r", "\n")
            notes.append("lines ended with carriage returns")
    if _UNSTORABLE.search(text):
        text = _UNSTORABLE.sub("\ufffd", text)
        notes.append("characters that cannot be stored were replaced")
    return Decoded(text, encoding, "; ".join(notes))
