"""`pyrt validate`: would Alpaca take this order? Nothing is sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from pyrt.cli import exits
from pyrt.cli.account import ask, show_one, world

if TYPE_CHECKING:
    from pyrt.adapters.alpaca.account.scripts import AlpacaAccount
    from pyrt.core.verdict import Verdict

SIGNED = re.compile(r"-[0-9.]+(e[0-9]+)?")


class Order(click.Command):
    """A command whose arguments are an order: a number below 0 is no option, but a wrong number."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; UsageError names a quantity with a sign."""
        try:
            return super().parse_args(ctx, list(args))
        except click.NoSuchOption as error:
            number = next((each for each in args if SIGNED.fullmatch(each)), "")
            if not number.startswith(error.option_name):
                raise
            raise click.UsageError(
                f"quantity is {number}; expected a number above 0: buy or sell says which way", ctx
            ) from None


@click.command(cls=Order)
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
