"""Every line says who said it; a closed terminal stops nobody."""

import io
import os

import pytest

from supervisor.output import Output, Relay


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def relayed(text: bytes, output: Output, *, quiet: bool) -> Relay:
    reading, writing = os.pipe()
    os.write(writing, text)
    os.close(writing)
    relay = Relay(os.fdopen(reading, "rb"), "web", output, quiet=quiet)
    relay.start()
    relay.join(5)
    return relay


def test_lines_carry_the_name_of_who_said_them() -> None:
    stream = io.StringIO()

    relayed(b"one\n\ntwo \xff\nlast", Output(stream), quiet=False)

    assert stream.getvalue() == "web      | one\nweb      | two \ufffd\nweb      | last\n"


def test_quiet_ones_are_heard_only_when_it_matters() -> None:
    stream = io.StringIO()
    relay = relayed(b"first\nsecond\n", Output(stream), quiet=True)
    assert not stream.getvalue()

    relay.tell_last_lines()

    assert stream.getvalue() == "web      | first\nweb      | second\n"


def test_only_the_last_lines_are_kept() -> None:
    relay = relayed(b"".join(b"%d\n" % number for number in range(1000)), Output(), quiet=True)

    assert list(relay.last_lines) == [str(number) for number in range(960, 1000)]


def test_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal, file = Terminal(), io.StringIO()

    Output(terminal).say("hello")
    Output(file).say("hello")

    assert terminal.getvalue() == "\x1b[32mnightowl |\x1b[0m hello\n"
    assert file.getvalue() == "nightowl | hello\n"


def test_people_may_ask_for_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal()

    Output(terminal).say("hello", name="web")

    assert terminal.getvalue() == "web      | hello\n"


def test_a_terminal_that_is_gone_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w")

    Output(stream).say("hello")

    with pytest.raises(BrokenPipeError):
        stream.close()
