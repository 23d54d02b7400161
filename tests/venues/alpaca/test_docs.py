"""The documentation of the rules says what the code says."""

from __future__ import annotations

import dataclasses
import pathlib
import re

from pyrt.venues.alpaca import REFUSALS, AlpacaOptions
from pyrt.venues.alpaca.fees import CRYPTO_SCHEDULES
from pyrt.venues.fees import SEC_SECTION_31, TAF

DOCS = pathlib.Path(__file__).resolve().parents[3] / "docs"


def test_every_refusal_is_documented_word_for_word():
    text = (DOCS / "alpaca-rules.md").read_text()
    row = r"^\| `(\w+)` \| (\d+) \| (\d+) \| (.+?) \| (body|text|none) \|$"
    documented = {name: rest for name, *rest in re.findall(row, text, re.M)}
    assert documented == {
        rule: [str(known.http_status), str(known.code), known.message, known.evidence]
        for rule, known in REFUSALS.items()
    }


def test_every_option_is_documented():
    text = (DOCS / "alpaca-rules.md").read_text()
    missing = [f.name for f in dataclasses.fields(AlpacaOptions) if f"`{f.name}`" not in text]
    assert not missing


def test_the_tables_of_fees_are_as_long_as_documented():
    text = (DOCS / "venues.md").read_text()
    assert f"to 2026-04-04, {len(SEC_SECTION_31.rows)} rows" in text
    assert f"to 2026-01-01, {len(TAF.rows)} rows" in text
    for tier in CRYPTO_SCHEDULES[-1][1]:
        assert f"| {tier.volume_from:,} | {tier.maker_bps} | {tier.taker_bps} |" in text
