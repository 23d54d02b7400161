"""Canceling everything from outside the trading loop: own connection, no state, tried till done."""

from __future__ import annotations

import time

import httpx
import msgspec

from pyrt.adapters.alpaca.credentials import Credentials

ATTEMPTS = 10
TIMEOUT_S = 5.0
PAUSE_S = 0.5
LOOKS = 4
LOOK_S = 0.25
PAGE = 500


class _Shown(msgspec.Struct):
    id: str
    status: str


def refused_keys(trading_url: str, credentials: Credentials) -> str:
    """Return how the broker refuses these keys; "" where it takes them, or nobody knows."""
    try:
        with _client(credentials) as client:
            status = client.get(f"{trading_url.rstrip('/')}/v2/account").status_code
    except httpx.HTTPError:
        return ""
    return f"HTTP {status}" if status in (401, 403) else ""


def _client(credentials: Credentials) -> httpx.Client:
    return httpx.Client(
        headers=credentials.headers(),
        timeout=TIMEOUT_S,
        follow_redirects=False,
        trust_env=False,
    )


def cancel_everything(
    trading_url: str, credentials: Credentials, *, attempts: int = ATTEMPTS
) -> str:
    """Cancel all open orders of an account; return "" once none is left open, or why not.

    That the broker has taken the request says nothing of each order: one that is being replaced is
    not canceled by it. So what is open is looked at afterwards; what is being canceled counts as
    canceled, for nothing more can be done about it.

    May be called from any thread, or a process of its own.
    """
    problem = "not tried"
    url = f"{trading_url.rstrip('/')}/v2/orders"
    with _client(credentials) as client:
        for attempt in range(attempts):
            if attempt:
                time.sleep(PAUSE_S * attempt)
            try:
                problem = _cancel(client, url)
            except httpx.HTTPError as error:
                problem = type(error).__name__
            if not problem:
                break
    return problem


def _cancel(client: httpx.Client, url: str) -> str:
    """Cancel once, and look; "" when nothing is left open."""
    answer = client.delete(url)
    if answer.status_code not in (200, 207):
        return f"HTTP {answer.status_code}"
    for _ in range(LOOKS):
        problem = _look(client, url)
        if not problem:
            break
        time.sleep(LOOK_S)
    return problem


def _look(client: httpx.Client, url: str) -> str:
    """Return what is open still, or why nobody knows; "" for nothing."""
    answer = client.get(url, params={"status": "open", "limit": PAGE})
    if answer.status_code != 200:
        return f"what is open is not known: HTTP {answer.status_code}"
    try:
        shown = msgspec.json.decode(answer.content, type=list[_Shown])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "what is open is not known: the answer is no list of orders"
    left = [order for order in shown if order.status != "pending_cancel"]
    if left:
        return f"{len(left)} still open, as order {left[0].id}, which is {left[0].status}"
    return "" if len(shown) < PAGE else "there may be more than a page of orders"
