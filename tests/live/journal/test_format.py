"""Journals of earlier versions stay readable: numbers and places of what is written are for ever.

Fields may be added at the end, with a default; none is moved, renamed or taken away.
"""

from __future__ import annotations

import typing
from typing import Any

import msgspec
import pytest

from pyrt.live.journal import frames, journal, log, state
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
        "ts ts_event quantity price cumulative order position fee historical trace inputs accrued"
    ),
    r.Seen: "ts client_order_id venue_order_id",
    r.Adjustment: "ts activity_id kind symbol quantity amount text ts_event positions",
    r.Account: "ts account cash equity positions",
    r.Reconciled: "ts reason findings activities_until",
    r.RiskState: "ts saved inputs cash accrued",
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


DEFAULTS: dict[type[msgspec.Struct], dict[str, Any]] = {
    r.RunStart: {
        "source": "", "shadow": False, "grace_ns": 0, "sessions": False, "resumes": "",
        "resumed_at": 0, "first_prefix": "",
    },
    r.Intent: {"legs": (), "limits": "", "trace": ""},
    r.Outcome: {"trace": "", "inputs": 0},
    r.Execution: {"fee": "0", "historical": False, "trace": "", "inputs": 0, "accrued": {}},
    r.Adjustment: {"ts_event": 0, "positions": ()},
    r.Reconciled: {"activities_until": ""},
    r.RiskState: {"inputs": 0, "cash": "", "accrued": {}},
    r.Operation: {"arguments": {}, "inputs": 0},
    r.StrategyStopped: {"inputs": 0},
    r.OrderState: {
        "filled": "0", "limit_price": "", "stop_price": "", "trail_amount": "",
        "trail_percent": "", "notional": "", "expires_at": 0, "flags": (), "tag": "",
        "parent": "", "sibling": "", "reason": "", "unknown": "", "ts_init": 0,
        "filled_notional": "0", "venue_order_id": "", "venue_filled": "", "venue_cost": "",
        "number": 0, "cancel_wanted": False, "venue_parts": (), "asked": ("", "", ""),
        "changes": 0, "entry_filled": "",
    },
    r.PositionState: {"mark": 0, "entered": "0"},
    r.Opening: {"orders": (), "positions": (), "saves": {}, "risk": b"", "account": {}},
    r.StrategyEntry: {"capital": ""},
}  # fmt: skip
"""What a record of an earlier version says where it has no such field: nothing of it."""
PLAIN: dict[Any, Any] = {str: "x", int: 7, bytes: b"x", dict: {}, tuple: ()}


def oldest(cls: type[msgspec.Struct]) -> Any:
    """Return one with no more than it has to have."""
    values = {}
    for field in msgspec.structs.fields(cls):
        if not field.required:
            continue
        kind = typing.get_origin(field.type) or field.type
        values[field.name] = PLAIN[kind] if kind in PLAIN else oldest(kind)
    return cls(**values)


@pytest.mark.parametrize("cls", list(FIELDS), ids=lambda cls: cls.__name__)
def test_what_an_older_record_does_not_say_is_nothing(cls: type[msgspec.Struct]) -> None:
    """Written without the fields that may be missing, it reads as one that has their defaults."""
    made, defaults = oldest(cls), DEFAULTS.get(cls, {})
    assert {name: getattr(made, name) for name in defaults} == defaults
    required = [field.name for field in msgspec.structs.fields(cls) if field.required]
    assert [*required, *defaults] == FIELDS[cls].split()
    short = msgspec.msgpack.encode([getattr(made, name) for name in required])
    assert msgspec.msgpack.decode(short, type=cls) == made


def test_a_journal_of_no_record_knows_nothing() -> None:
    empty = JournalState()
    assert {name: getattr(empty, name) for name in empty.__struct_fields__} == {
        "account": "", "mode": "", "runs": {}, "orders": {}, "closed": {}, "positions": {},
        "saves": {}, "activities": {}, "activities_until": "", "risk": b"", "cash": "",
        "our_cash": "", "accrued": {}, "last_run": "", "last_ts": 0, "records": 0,
        "ended_well": True, "stopped": {}, "armed": "",
    }  # fmt: skip


def test_what_lies_around_a_record_keeps_its_size_and_its_marks() -> None:
    head = frames.encode_head(frames.SegmentHead(3, 7, b"0123456789abcdef"))
    assert (len(head), frames.SEGMENT_BYTES) == (44, 44)
    assert head[:40].hex() == (
        "7079" "72746a726e6c" "0100" "0000" "03000000" "0700000000000000"
        "30313233343536373839616263646566"
    )  # fmt: skip
    frame, chain = frames.encode_frame(5, 9, b"four", chain=b"", segment=3, offset=44)
    assert (len(frame), frames.FRAME_BYTES) == (36 + 4, 36)
    assert frame[:16].hex() == "a54a" "01" "05" "04000000" "0900000000000000"  # fmt: skip
    assert (frame[20:36], frame[36:]) == (chain, b"four")


def test_what_a_journal_takes_and_keeps_is_bounded_as_it_is_stated() -> None:
    mebibyte = 1 << 20
    assert frames.PAYLOAD_MAX == log.PAYLOAD_MAX == 16 * mebibyte
    assert (log.SEGMENT_MAX, log.SEGMENT_MAX // mebibyte) == (1 << 26, 64)
    assert (state.CLOSED_MAX, state.ACTIVITIES_MAX) == (20_000, 20_000)
    assert (journal.SNAPSHOT_EVERY, journal.TAPE_PIECES) == (50_000, 64)
