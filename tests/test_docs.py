"""What the documents tell a person to type is there."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from brewslm.cli.main import app

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands() -> list[tuple[str, str]]:
    """Every `brewslm …` that a document shows in code."""
    found = set()
    for path in DOCUMENTS:
        for line in re.findall(r"(?:^|`|\s)(brewslm [a-z][^`\n#|]*)", path.read_text()):
            if path.name == "reasons.md":  # its remedies are sentences; a command in one ends where the clause does
                line = re.split(r"[,.](?=\s|$)", line)[0]
            found.add((path.name, line.strip()))
    return sorted(found)


@pytest.mark.parametrize(("document", "line"), commands())
def test_a_shown_command_exists_with_its_options(document, line):
    words = shlex.split(line.split("  ")[0].replace("…", ""), comments=True)[1:]
    command = typer.main.get_command(app)
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    alone = getattr(command, "invoke_without_command", False) and words[:1] != [] and words[0].startswith("--")
    assert not hasattr(command, "commands") or not words or alone, f"{document}: no such verb in {line}"
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known, f"{document}: {line}"


def test_every_make_target_that_is_named_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in DOCUMENTS:
        named = set(re.findall(r"(?:`|^ {4})make ([a-z-]+)", path.read_text(), re.MULTILINE))
        assert named <= targets, path.name


def test_the_readme_is_one_screen():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 70
