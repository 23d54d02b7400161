"""Journals of earlier versions stay readable: numbers and places of what is written are for ever.

Fields may be added at the end, with a default; none is moved, renamed or taken away.
"""

from __future__ import annotations

import msgspec
import pytest

from pyrt.live.journal import records as r
from pyrt.live.journal.state import Closed, JournalState

FIELDS = {
    r.RunStart: (
        "ts run_id prefix version account mode config limits strategies instruments default_tif "
        "opening source shadow grace_ns sessions resumes resumed_at first_prefix"
    ),
    r.RunStop: "ts reason",
    r.Intent: "ts inputs order legs limits trace",
    r.ChangeIntent: "ts inputs client_order_id changes",
    r.CancelIntent: "ts inputs client_order_id",
    r.NotSent: "ts client_order_id reason",
    r.Outcome: "ts kind ts_event order trace inputs",
    r.Execution: (
        "ts ts_event quantity price cumulative order position fee historical trace inputs"
    ),
    r.Seen: "ts client_order_id venue_order_id",
    r.Adjustment: "ts activity_id kind symbol quantity amount text ts_event positions",
    r.Account: "ts account cash equity positions",
    r.Reconciled: "ts reason findings activities_until",
    r.RiskState: "ts saved inputs",
    r.Operation: "ts actor action reason arguments inputs",
    r.StrategySave: "ts strategy inputs state",
    r.StrategyStopped: "ts strategy reason inputs",
    r.Alarmed: "ts code text",
    r.Snapshot: "ts state",
    r.OrderState: (
        "client_order_id strategy symbol side order_type quantity time_in_force status filled "
        "limit_price stop_price trail_amount trail_percent notional expires_at flags tag parent "
        "sibling reason unknown ts_init filled_notional venue_order_id venue_filled venue_cost "
        "number cancel_wanted venue_parts asked changes entry_filled"
    ),
    r.PositionState: "strategy symbol units open_cost realized fees mark entered",
    r.Opening: "cash orders positions saves risk account",
    r.StrategyEntry: "name cls params capital",
    Closed: "client_order_id venue_order_id strategy symbol side status filled ts",
}
NUMBERS = {
    1: r.RunStart,
    2: r.RunStop,
    3: r.Intent,
    4: r.ChangeIntent,
    5: r.CancelIntent,
    6: r.NotSent,
    7: r.Outcome,
    8: r.Execution,
    9: r.Seen,
    10: r.Adjustment,
    11: r.Account,
    12: r.Reconciled,
    13: r.RiskState,
    14: r.Operation,
    15: r.StrategySave,
    16: r.StrategyStopped,
    17: r.Alarmed,
    18: r.Snapshot,
}


@pytest.mark.parametrize("cls", list(FIELDS), ids=lambda cls: cls.__name__)
def test_fields_keep_their_places(cls: type[msgspec.Struct]) -> None:
    known = FIELDS[cls].split()
    assert cls.__struct_fields__[: len(known)] == tuple(known)
    assert cls.__struct_config__.array_like
    # What is new since then has a default, or an old record could not be read.
    added = len(cls.__struct_fields__) - len(known)
    defaults = cls.__struct_defaults__[-added:] if added else ()
    assert len(defaults) == added


def test_kinds_keep_their_numbers() -> None:
    assert {kind: r.KINDS[kind] for kind in NUMBERS} == NUMBERS
    assert r.INPUTS == 64


def test_the_state_is_written_by_name() -> None:
    """Its fields may come in any order, and those that are missing have defaults."""
    assert not JournalState.__struct_config__.array_like
    assert msgspec.msgpack.decode(b"\x80", type=JournalState) == JournalState()
