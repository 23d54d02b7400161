"""Trading states of the whole, of strategies and of symbols, and who changed what and why."""
cimport cython

from pyrt.core.orders cimport Order

from dataclasses import asdict, dataclass

from pyrt.errors import ConfigError

# Who acts, on record, where nobody asked for it.
ENGINE = "risk engine"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One audited change of a state, of limits or of the breaker.

    Attributes
    ----------
    ts_event : int
        ns UTC.
    scope : str
        ``"all"``, ``"strategy 0"``, ``"symbol SPY"``, ``"limits"``, ``"breaker"``.
    before, after : str
    actor, reason : str
        Who did it and why; never empty.
    """

    ts_event: int
    scope: str
    before: str
    after: str
    actor: str
    reason: str


def state_of(state):
    """Read a state by name or number; ConfigError for anything else."""
    if isinstance(state, str) and state.upper() in TradingState.__members__:
        return TradingState[state.upper()]
    if isinstance(state, int) and not isinstance(state, bool) and 0 <= state <= 2:
        return TradingState(state)
    raise ConfigError(f"state is {state!r}; expected 'active', 'reducing' or 'halted'")


def check_named(scope, actor, reason):
    """Raise ConfigError for a change without an actor or a reason."""
    for what, value in (("actor", actor), ("reason", reason)):
        if not isinstance(value, str) or not value.strip():
            raise ConfigError(f"{what} is {value!r}; a change of {scope} needs one")


@cython.final
cdef class States:
    """ACTIVE: all may leave. REDUCING: what cannot raise exposure. HALTED: only cancels."""

    def __init__(self):
        self.everywhere = ACTIVE
        self.strategies = {}
        self.symbols = {}
        self.changes, self.lasting = [], []
        self.plain = True

    cdef int worst(self, Order order) except -1:
        return self.over(order.strategy.name, order.instrument.id)

    cdef int over(self, str strategy, str symbol) except -1:
        """The most restrictive state over a strategy in a symbol."""
        cdef int state = max(self.everywhere, <int>self.strategies.get(strategy, 0))
        return max(state, <int>self.symbols.get(symbol, 0))

    def set(self, state, actor, reason, *, ts, strategy=None, symbol=None):
        """Change one state and note it; ConfigError without an actor or a reason.

        Parameters
        ----------
        state : TradingState or str
        actor, reason : str
        ts : int
            When, ns UTC.
        strategy, symbol : str, optional
            Name of the one concerned; everything without either.
        """
        after = state_of(state)
        if strategy is not None:
            scope, table, key = f"strategy {strategy}", self.strategies, strategy
        elif symbol is not None:
            scope, table, key = f"symbol {symbol}", self.symbols, symbol
        else:
            scope, table, key = "all", None, None
        before = TradingState(self.everywhere if table is None else table.get(key, 0))
        self.note(ts, scope, before.name, after.name, actor, reason)
        if table is None:
            self.everywhere = after
        else:
            table[key] = int(after)
        self.look()

    def look(self):
        """See whether anything is restricted at all."""
        self.plain = not (
            self.everywhere or any(self.strategies.values()) or any(self.symbols.values())
        )

    def note(self, ts, scope, before, after, actor, reason):
        """Add to the record of changes; ConfigError, and nothing noted, if it names nobody."""
        check_named(scope, actor, reason)
        change = Change(
            ts_event=ts, scope=scope, before=before, after=after, actor=actor, reason=reason
        )
        self.changes.append(change)
        self.lasting.append(change)

    def forget(self, scopes):
        """Leave out of what is saved what was noted of these: it is over."""
        self.lasting = [change for change in self.lasting if change.scope not in scopes]

    def get(self, strategy=None, symbol=None):
        """Return the state of one strategy or symbol alone, or of everything."""
        if strategy is not None:
            return TradingState(self.strategies.get(strategy, 0))
        if symbol is not None:
            return TradingState(self.symbols.get(symbol, 0))
        return TradingState(self.everywhere)

    def save(self):
        """Return all states, and changes of what is not over, as plain values."""
        return {
            "everywhere": self.everywhere,
            "strategies": dict(self.strategies),
            "symbols": dict(self.symbols),
            "changes": [asdict(change) for change in self.lasting],
        }

    def restore(self, saved):
        """Take over what `save` returned."""
        self.everywhere = state_of(saved["everywhere"])
        self.strategies = {k: int(state_of(v)) for k, v in saved["strategies"].items()}
        self.symbols = {k: int(state_of(v)) for k, v in saved["symbols"].items()}
        self.changes = [Change(**change) for change in saved["changes"]]
        self.lasting = list(self.changes)
        self.look()
