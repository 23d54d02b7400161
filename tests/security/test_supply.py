"""What is delivered, and how it is checked; and that the page of claims names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SUBJECTS = 22


def test_each_subject_of_the_page_names_tests_that_exist():
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    rows = re.findall(r"^\| ([A-Z][^|]+) \|[^|]+\|([^|]+)\|$", page, re.MULTILINE)
    assert len(rows) == SUBJECTS
    for subject, tests in rows:
        named = re.findall(r"`([^`]+)`", tests)
        assert named, subject
        for name in named:
            text = (ROOT / "tests" / name).read_text("utf-8")
            assert "def test_" in text, name


def test_advisories_are_looked_up_nightly():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    nightly = workflow[workflow.index("  nightly:") :]
    assert "pip-audit" in nightly


def test_workflows_may_read_and_nothing_else():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    assert re.search(r"^permissions:\n  contents: read$", workflow, re.MULTILINE)
    assert "write" not in workflow
    assert "pull_request_target" not in workflow


def test_actions_are_named_by_the_commit_that_was_read():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    used = re.findall(r"uses: (.+)$", workflow, re.MULTILINE)
    assert used
    for action in used:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_no_key_is_in_the_tree():
    looks_like = re.compile(r"\b[PA]K[A-Z0-9]{18}\b")
    for path in (*ROOT.glob("*.toml"), *ROOT.glob(".env*"), *(ROOT / "deploy").rglob("*")):
        if path.is_file():
            assert not looks_like.search(path.read_text("utf-8")), path
