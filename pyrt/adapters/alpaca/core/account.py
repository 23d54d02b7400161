"""The account, its positions and its assets as the broker states them."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from pyrt.adapters.alpaca.core.rest import HttpRequest


class AccountView(msgspec.Struct, kw_only=True):
    """The fields of an Alpaca account that decide anything; decimals are strings."""

    account_number: str
    status: str = "ACTIVE"
    currency: str = "USD"
    cash: str = "0"
    equity: str = "0"
    buying_power: str = "0"
    trading_blocked: bool = False
    account_blocked: bool = False
    multiplier: str | None = None
    shorting_enabled: bool = False
    last_equity: str | None = None
    last_maintenance_margin: str | None = None
    balance_asof: str | None = None
    crypto_tier: int | None = None

    @property
    def may_trade(self) -> bool:
        """Whether the broker takes orders for it."""
        return self.status == "ACTIVE" and not (self.trading_blocked or self.account_blocked)

    @property
    def cash_exact(self) -> Decimal:
        """Cash, account currency."""
        return Decimal(self.cash)

    @property
    def multiplier_number(self) -> int:
        """Buying power for each dollar that is free; 0 where the account does not say."""
        return int(Decimal(self.multiplier)) if self.multiplier else 0


class PositionView(msgspec.Struct, kw_only=True):
    """A position; `qty` is signed."""

    symbol: str
    qty: str
    avg_entry_price: str = "0"
    side: str = "long"
    current_price: str | None = None


def account_request() -> HttpRequest:
    """Return the request for the account."""
    return HttpRequest("GET", "/v2/account", b"", purpose="account")


def positions_request() -> HttpRequest:
    """Return the request for all positions."""
    return HttpRequest("GET", "/v2/positions", b"", purpose="positions")


def decode_account(body: bytes) -> AccountView:
    """Return the account of an answer; msgspec.DecodeError if it is none."""
    return msgspec.json.decode(body, type=AccountView)


def decode_positions(body: bytes) -> list[PositionView]:
    """Return the positions of an answer; msgspec.DecodeError if they are none."""
    return msgspec.json.decode(body, type=list[PositionView])
