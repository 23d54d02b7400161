"""An account for scripts: look at it, and get out of orders and positions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Literal
from urllib.parse import quote, urlencode

from pyrt.adapters.alpaca.account.asking import Asker
from pyrt.adapters.alpaca.account.reading import Reader, working_orders
from pyrt.adapters.alpaca.account.reducing import Reducer
from pyrt.adapters.alpaca.account.together import Outcome, all_done, each_of
from pyrt.adapters.alpaca.credentials import Credentials, read_credentials
from pyrt.adapters.alpaca.shell.http import Http
from pyrt.core.verdict import Verdict
from pyrt.errors import ConfigError, PyrtError
from pyrt.live.config import LIVE_TRADING, PAPER_TRADING, check_url
from pyrt.live.process.control import ask

Status = Literal["open", "closed", "all"]
DATA = "https://data.alpaca.markets"
LIVE_REMEDY = (
    "For the live account say --live --account-id NUMBER (in a script paper=False and account_id), "
    "or --config with the settings of its node"
)


class AlpacaAccount:
    """An Alpaca account: ``async with AlpacaAccount(paper=True) as account:``.

    Everything that reads is tried again when it fails for the moment. What writes can only cancel
    and close: it takes the account's lock, so that no node trades it meanwhile, and writes its
    intent down before anything is sent.

    Parameters
    ----------
    paper : bool
        The paper world; with False, `account_id` has to name the account and the key be a live one.
    account_id : str
        The account number that the broker has to state.
    credentials : Credentials, optional
        By default from `env_file` or the environment.
    env_file : path, optional
        Lines ``NAME=value``, readable by its owner only.
    trading_url, data_url : str
        "" means Alpaca's own; plain http is for this machine only.
    feed : str
        ``iex`` or ``sip``.
    state_dir : path, optional
        Where intents are written down.
    node_dir : path, optional
        State folder of the node that may hold the account: what cancels or closes everything, or
        closes a symbol, then goes through its control interface.

    Raises
    ------
    ConfigError
        If keys are missing, or of the other world.
    """

    def __init__(
        self,
        *,
        paper: bool = True,
        account_id: str = "",
        credentials: Credentials | None = None,
        env_file: str | Path | None = None,
        trading_url: str = "",
        data_url: str = "",
        feed: str = "iex",
        state_dir: str | Path | None = None,
        node_dir: str | Path | None = None,
    ) -> None:
        keys = credentials or read_credentials(env_file=env_file)
        if keys.is_live == paper:
            raise ConfigError(
                f"paper is {paper}, and the key is {'a live' if keys.is_live else 'no live'} key",
                code="wrong_key",
                remedy=LIVE_REMEDY if paper else "Give the live account's key, or leave out live",
            )
        if not paper and not account_id:
            raise ConfigError(
                "the account is live and account_id is not given",
                code="live_consent",
                remedy="State the account number that you mean, by --account-id in a shell",
            )
        for url in (trading_url, data_url):
            check_url(url)
        self.trading_url = trading_url or (PAPER_TRADING if paper else LIVE_TRADING)
        self._expected = account_id
        self._feed = feed
        self._http = Http({"trading": self.trading_url, "data": data_url or DATA}, keys)
        self._reader = Reader(self._http.send)
        self._node_dir = None if node_dir is None else Path(node_dir)
        self._state_dir = None if state_dir is None else Path(state_dir)
        self._reducer: Reducer | None = None

    async def __aenter__(self) -> AlpacaAccount:
        try:
            account = await self.account()
            number = str(account.get("account_number", ""))
            if self._expected and number != self._expected:
                raise ConfigError(
                    f"the keys belong to account {number}, not to {self._expected}",
                    code="wrong_account",
                )
        except BaseException:
            await self._http.close()
            raise
        self._reducer = Reducer(self._reader, self.trading_url, number, self._state_dir)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._reducer is not None:
            self._reducer.close()
        await self._http.close()

    # -- the account ---------------------------------------------------------------------------

    async def account(self) -> dict[str, Any]:
        """Return the account as the broker states it; decimals are texts."""
        found: dict[str, Any] = await self._reader.get("/v2/account")
        return found

    async def metrics(self) -> dict[str, Decimal]:
        """Return equity, cash, exposure and the day's profit, account currency.

        ``day_pnl`` is against the equity at the last close; ``exposure`` is what is held long
        plus what is held short, ``leverage`` that over equity.
        """
        account = await self.account()
        equity, last = Decimal(account["equity"]), Decimal(account.get("last_equity") or 0)
        longs = Decimal(account.get("long_market_value") or 0)
        shorts = abs(Decimal(account.get("short_market_value") or 0))
        exposure = longs + shorts
        return {
            "equity": equity,
            "cash": Decimal(account["cash"]),
            "buying_power": Decimal(account["buying_power"]),
            "exposure": exposure,
            "net_exposure": longs - shorts,
            "leverage": exposure / equity if equity else Decimal(0),
            "day_pnl": equity - last if last else Decimal(0),
        }

    async def portfolio_history(self, **query: str) -> dict[str, Any]:
        """Return the equity curve; `query` as Alpaca names it: ``period``, ``timeframe``."""
        path = "/v2/account/portfolio/history"
        found: dict[str, Any] = await self._reader.get(f"{path}?{urlencode(query)}")
        return found

    async def activities(self, **query: str) -> list[dict[str, Any]]:
        """Return account activities, all pages, newest first unless ``direction="asc"``."""
        found: list[dict[str, Any]] = []
        while True:
            page = await self._reader.get(f"/v2/account/activities?{urlencode(query)}")
            found.extend(page)
            if len(page) < int(query.get("page_size", 100)):
                return found
            query["page_token"] = page[-1]["id"]

    async def positions(self) -> list[dict[str, Any]]:
        """Return open positions with their profit and loss."""
        found: list[dict[str, Any]] = await self._reader.get("/v2/positions")
        return found

    async def orders(
        self, status: Status = "open", *, symbols: tuple[str, ...] = (), limit: int = 500
    ) -> list[dict[str, Any]]:
        """Return orders, exits nested in their entries, newest first.

        Open exits whose entry has ended stand by themselves.
        """
        query = {"limit": str(limit)}
        if symbols:
            query["symbols"] = ",".join(symbols)
        if status == "open":
            return await working_orders(self._reader, **query)
        query |= {"status": status, "nested": "true"}
        found: list[dict[str, Any]] = await self._reader.get(f"/v2/orders?{urlencode(query)}")
        return found

    async def order(self, order_id: str) -> dict[str, Any]:
        """Return one order by the broker's id."""
        path = f"/v2/orders/{quote(order_id, safe='')}?nested=true"
        found: dict[str, Any] = await self._reader.get(path)
        return found

    # -- the market ----------------------------------------------------------------------------

    async def latest_trade(self, symbol: str) -> dict[str, Any]:
        """Return the last print."""
        return await self._latest("trades", symbol)

    async def latest_quote(self, symbol: str) -> dict[str, Any]:
        """Return the best bid and offer; a price of 0 means that side is empty."""
        return await self._latest("quotes", symbol)

    async def latest_bar(self, symbol: str) -> dict[str, Any]:
        """Return the last minute's bar, stamped at its open as Alpaca's are."""
        return await self._latest("bars", symbol)

    async def snapshot(self, symbol: str) -> dict[str, Any]:
        """Return last print, quote, minute bar, and this and the previous day's bar."""
        coins = "/" in symbol
        query = urlencode({"symbols": symbol} | ({} if coins else {"feed": self._feed}))
        base = "/v1beta3/crypto/us" if coins else "/v2/stocks"
        body = await self._reader.get(f"{base}/snapshots?{query}", host="data")
        found: dict[str, Any] = (body["snapshots"] if coins else body)[symbol]
        return found

    async def _latest(self, what: str, symbol: str) -> dict[str, Any]:
        coins = "/" in symbol
        query = urlencode({"symbols": symbol} | ({} if coins else {"feed": self._feed}))
        path = f"/v1beta3/crypto/us/latest/{what}" if coins else f"/v2/stocks/{what}/latest"
        body = await self._reader.get(f"{path}?{query}", host="data")
        found: dict[str, Any] = body[what][symbol]
        return found

    async def validate(self, order: Mapping[str, Any], **changes: Any) -> Verdict:
        """Judge an order by Alpaca's rules on the account as it is now; nothing is sent.

        The order is described as for `Strategy.submit`: ``side``, ``symbol`` and the arguments of
        `buy`. True if nothing speaks against it. A node's limits are the node's to judge:
        `LiveNode.validate`, and `Strategy.validate` inside of it, ask them too.

        Raises
        ------
        OrderError
            If a term is unknown or no number.
        """
        return await Asker(self._reader, self._feed).judge({**order, **changes})

    # -- getting out ---------------------------------------------------------------------------

    async def cancel(self, order_id: str, *, reason: str = "") -> dict[str, Any]:
        """Cancel an order; return it as it then is: canceled, or filled before.

        Where a node holds the account and `node_dir` is given, the node cancels it, if it is one
        of its own, and the node's answer is returned.

        Raises
        ------
        ConfigError
            If a node holds the account (``second_node``) and is not known, or does not know the
            order.
        BrokerError
            If there is no such order.
        """
        try:
            return await self._writer.cancel(order_id, reason)
        except ConfigError as error:
            return self._ask_node(error, "cancel", reason, order=order_id)

    async def cancel_orders(
        self, order_ids: Iterable[str], *, reason: str = ""
    ) -> list[dict[str, Any]]:
        """Cancel several orders, each asked for before one is waited for; return what they are.

        Raises
        ------
        PyrtError
            When all have been tried, if not all have ended: it names those, and how they stand.
            Otherwise as `cancel`.
        """
        wanted = dict.fromkeys(order_ids)
        try:
            return all_done(await self._writer.cancel_each(wanted, reason))
        except ConfigError as error:
            refused = error

        async def by_node(order_id: str) -> dict[str, Any]:
            return self._ask_node(refused, "cancel", reason, order=order_id)

        return all_done(await each_of({each: by_node(each) for each in wanted}))

    async def cancel_all(self, *, reason: str = "") -> list[dict[str, Any]]:
        """Cancel all open orders; return them as they then are, or what the node answers.

        Raises
        ------
        PyrtError
            When all have been tried, if not all have ended: it names those, and how they stand.
        """
        ended: dict[str, Outcome] = {}
        try:
            # More than a page, or new exits of an entry that has just filled: look again.
            while fresh := [o["id"] for o in await self.orders() if o["id"] not in ended]:
                ended |= await self._writer.cancel_each(fresh, reason)
        except ConfigError as error:
            return [self._ask_node(error, "cancel_all", reason)]
        except PyrtError as error:
            if not ended:
                raise
            ended["what else is open"] = error
        return all_done(ended)

    async def close(
        self, symbol: str, quantity: Decimal | str | None = None, *, reason: str = ""
    ) -> dict[str, Any]:
        """Close a position, or `quantity` units of it; return the closing order.

        Open orders of the symbol that hold its shares are canceled first. The order is never
        larger than what is held then, and never sent twice: if its answer does not come, it is
        looked for by its client order id.

        Raises
        ------
        ConfigError
            If a node holds the account.
        OrderError
            If there is no such position, or it is smaller than `quantity`; or what was canceled
            had closed it before, and nothing is sent.
        ConnectionLost
            If an order cannot be seen to its end, or the position after it; nothing is sent. Or
            the outcome of the closing order is unknown.
        """
        try:
            return await self._writer.close_position(symbol, quantity, reason)
        except ConfigError as error:
            if quantity is not None:
                raise
            return self._ask_node(error, "close", reason, symbol=symbol)

    async def close_positions(
        self, symbols: Iterable[str], *, reason: str = ""
    ) -> list[dict[str, Any]]:
        """Close several positions, each whatever becomes of the others; return the closing orders.

        Raises
        ------
        PyrtError
            When all have been tried, if not all could be closed: it names those, and why.
        """
        asked = {each: self.close(each, reason=reason) for each in dict.fromkeys(symbols)}
        return all_done(await each_of(asked))

    async def close_all(self, *, reason: str = "") -> list[dict[str, Any]]:
        """Close all positions, as `close_positions` does; return the closing orders."""
        symbols = [position["symbol"] for position in await self.positions()]
        return await self.close_positions(symbols, reason=reason)

    def _ask_node(
        self, error: ConfigError, action: str, reason: str, **given: str
    ) -> dict[str, Any]:
        """Let the node that holds the account do it, where it is known; else raise `error`."""
        if error.code != "second_node":
            raise error
        if self._node_dir is None:
            remedy = (
                "Name its state folder, by --node or node_dir, and the node does it; or stop it"
            )
            raise ConfigError(error.message, code=error.code, remedy=remedy) from None
        actor = f"script of user {os.geteuid()}"
        return ask(self._node_dir, action, actor=actor, reason=reason or "asked for", **given)

    @property
    def _writer(self) -> Reducer:
        if self._reducer is None:
            raise ConfigError("the account is not open", remedy="Use it in `async with`")
        return self._reducer
