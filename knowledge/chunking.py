"""Cuts a document into chunks in the way that its language deserves."""

from knowledge import headings, structured
from knowledge.front_matter import front_matter
from knowledge.languages import language_of
from knowledge.notebooks import NotANotebook, chunk_notebook
from knowledge.outlines import chunk_outline
from knowledge.pieces import Chunk, Chunked
from knowledge.plain_lines import chunk_lines
from knowledge.syntax_trees import Unparsable, chunk_code, is_supported

__all__ = ["Chunk", "Chunked", "chunk_by_lines", "chunk_document"]

# Part of what a stored chunk depends on: raise it when the same text would be cut differently.
CHUNKER_VERSION = 3

_TITLED = frozenset({"rst", "text"})
_KEYED = {
    "json": structured.json_headings,
    "yaml": structured.yaml_headings,
    "toml": structured.toml_headings,
    "ini": structured.toml_headings,
}


def chunk_document(path: str, text: str, language: str | None = None) -> Chunked:
    """The chunks of a text; what its chunker cannot read is cut by lines, and the notes say so."""
    language = language or language_of(path)
    try:
        return _chunk_as(language, path, text)
    except (Unparsable, NotANotebook) as reason:
        return Chunked(chunk_lines(path, text), f"chunked by lines: {reason}")


def chunk_by_lines(path: str, text: str, language: str | None = None) -> Chunked:
    """The chunks of a text whose own parser broke on it."""
    return Chunked(chunk_lines(path, text), f"chunked by lines: the parser of {language} gave up")


def _chunk_as(language: str, path: str, text: str) -> Chunked:
    if language == "markdown":
        metadata, notes = front_matter(text)
        outline = headings.markdown_headings(text)
        return Chunked(chunk_outline(path, text, outline, "section"), notes, metadata)
    if is_supported(language):
        chunks = chunk_code(path, text, language)
    elif language == "notebook":
        chunks = chunk_notebook(path, text)
    elif language == "csv":
        chunks = structured.chunk_table(path, text)
    elif language in _TITLED and (outline := headings.rst_headings(text)):
        chunks = chunk_outline(path, text, outline, "section")
    elif language in _KEYED and (outline := _KEYED[language](text)):
        chunks = chunk_outline(path, text, outline, "key", opening="lines")
    else:
        chunks = chunk_lines(path, text)
    return Chunked(chunks)
