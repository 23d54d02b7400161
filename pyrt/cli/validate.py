"""`pyrt validate`: would Alpaca take this order? Nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pyrt.cli import exits
from pyrt.cli.account import ask, show_one, world

if TYPE_CHECKING:
    from pyrt.adapters.alpaca.account.scripts import AlpacaAccount
    from pyrt.core.verdict import Verdict


@click.command()
@world
@click.argument("side", type=click.Choice(["buy", "sell"]))
@click.argument("symbol")
@click.argument("quantity", required=False)
@click.option("--notional", metavar="DOLLARS", help="In place of a quantity.")
@click.option("--limit-price", metavar="PRICE")
@click.option("--stop-price", metavar="PRICE")
@click.option("--trail-amount", metavar="DOLLARS")
@click.option("--trail-percent", metavar="PERCENT")
@click.option("--take-profit", metavar="PRICE", help="Limit of an exit.")
@click.option("--stop-loss", metavar="PRICE", help="Stop of an exit.")
@click.option("--time-in-force", metavar="NAME", help="day, gtc, opg, cls, ioc or fok.")
@click.option("--extended-hours", is_flag=True)
def validate(side: str, symbol: str, quantity: str | None, **given: Any) -> int:
    """Judge an order by Alpaca's rules, on the account as it is now; nothing is sent.

    Exit code 3 where it would be refused.
    """
    names = ["notional", "limit_price", "stop_price", "trail_amount", "trail_percent"]
    names += ["take_profit", "stop_loss", "time_in_force"]
    terms: dict[str, Any] = {"side": side, "symbol": symbol, "quantity": quantity}
    terms.update({name: given.pop(name) for name in names})
    terms["extended_hours"] = given.pop("extended_hours")

    async def asked(account: AlpacaAccount) -> Verdict:
        return await account.validate(terms)

    verdict: Verdict = ask(asked, given)
    row = {"accepted": bool(verdict), "by": verdict.by, "reason": verdict.reason}
    show_one(row, as_json=given["as_json"])
    return exits.DONE if verdict else exits.NOT_MET
