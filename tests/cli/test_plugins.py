"""Plug-ins join by entry point; a broken one is told of and harms nothing."""

import pytest

from dialog import plugins

COMMANDS = "instructrec.commands"
HELLO = """
import typer
app = typer.Typer()

@app.command()
def anything(name: str = "you"):
    "Greet somebody."
    print(f"hello {name}")
"""
GROUP = """
import typer
app = typer.Typer(help="Two verbs.")

@app.command()
def one(): print("1")

@app.command()
def two(): print("2")
"""


def broken_names(loaded):
    return [broken.name for broken in loaded.broken]


def test_plugin_is_found_by_its_name(install):
    install("acme", {COMMANDS: {"hello": "acme:app"}}, HELLO)
    assert "hello" in plugins.names(COMMANDS)
    assert plugins.load(COMMANDS, only="hello").found.keys() == {"hello"}


def test_our_own_plugins_are_there_even_with_third_party_ones_off(install, monkeypatch):
    install("acme", {"instructrec.skills": {"mine": "acme:app"}}, HELLO)
    monkeypatch.setenv("INSTRUCTREC_PLUGINS", "")
    assert "answer" in plugins.names("instructrec.skills")
    assert "mine" not in plugins.names("instructrec.skills")


def test_only_listed_distributions_are_allowed(install, monkeypatch):
    install("acme", {COMMANDS: {"hello": "acme:app"}}, HELLO)
    install("other_tools", {COMMANDS: {"bye": "other_tools:app"}}, HELLO)
    monkeypatch.setenv("INSTRUCTREC_PLUGINS", "Other-Tools")
    assert {"hello", "bye"} & set(plugins.names(COMMANDS)) == {"bye"}


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("import sys; sys.exit(5)", "SystemExit: 5"),
        ("import module_nobody_has", "ModuleNotFoundError"),
        ("x = 1", "AttributeError"),
        ("def broken(:", "SyntaxError"),
    ],
)
def test_plugin_that_fails_to_load_is_recorded_with_its_error(install, source, told):
    install("acme", {COMMANDS: {"hello": "acme:app"}}, source)
    (broken,) = plugins.load(COMMANDS, only="hello").broken
    assert told in broken.error
    assert (broken.name, broken.target, broken.distribution) == ("hello", "acme:app", "acme")


def test_second_plugin_of_a_name_is_broken_and_the_first_works(install):
    install("aaa", {COMMANDS: {"hello": "aaa:app"}}, HELLO)
    install("bbb", {COMMANDS: {"hello": "bbb:app"}}, HELLO)
    loaded = plugins.load(COMMANDS, only="hello")
    assert "hello" in loaded.found
    assert [broken.distribution for broken in loaded.broken] == ["bbb"]


def test_single_command_plugin_becomes_the_verb_itself(install, command):
    install("acme", {COMMANDS: {"hello": "acme:app"}}, HELLO)
    assert command("hello", "--name", "小明").out == "hello 小明\n"


def test_plugin_with_several_commands_becomes_a_group(install, command):
    install("acme", {COMMANDS: {"numbers": "acme:app"}}, GROUP)
    assert command("numbers", "two").out == "2\n"


def test_plugin_verbs_are_in_the_help(install, command):
    install("acme", {COMMANDS: {"hello": "acme:app"}}, HELLO)
    assert "Greet somebody." in command("--help").out


def test_broken_plugin_does_not_harm_the_help(install, command):
    install("acme", {COMMANDS: {"hello": "acme:app"}}, "1 / 0")
    result = command("--help")
    assert result.code == 0
    assert "search" in result.out
    assert "plug-in 'hello' does not load: ZeroDivisionError" in result.err


def test_built_in_verb_does_not_load_plugins(install, command):
    install("acme", {COMMANDS: {"hello": "acme:app"}}, "1 / 0")
    assert command("config").err == ""


def test_verb_of_a_broken_plugin_exits_3(install, command):
    install("acme", {COMMANDS: {"hello": "acme:app"}}, "1 / 0")
    assert command("hello").code == 3


def test_plugin_cannot_replace_a_built_in_verb(install, command):
    install("acme", {COMMANDS: {"config": "acme:app"}}, HELLO)
    assert "model.name" in command("config").out
    assert "the verb 'config' is built in" in command("--help").err


def test_plugin_that_is_no_typer_app_is_told_of(install, command):
    install("acme", {COMMANDS: {"hello": "acme:app"}}, "app = 3")
    assert "is a int, not a typer.Typer" in command("--help").err


def test_error_of_a_plugin_verb_is_one_line_and_exit_3(install, command):
    install("acme", {COMMANDS: {"hello": "acme:app"}}, HELLO.replace("print", "raise ValueError"))
    result = command("hello")
    assert result.code == 3
    assert result.err == "instructrec: ValueError: hello you; run with --traceback to see where\n"
