"""Canceling everything from outside the trading loop: own connection, no state, tried till done."""

from __future__ import annotations

import time

import httpx

from pyrt.adapters.alpaca.credentials import Credentials

ATTEMPTS = 10
TIMEOUT_S = 5.0
PAUSE_S = 0.5


def cancel_everything(
    trading_url: str, credentials: Credentials, *, attempts: int = ATTEMPTS
) -> str:
    """Cancel all open orders of an account; return "" when the broker has taken that, or why not.

    May be called from any thread, or a process of its own.
    """
    problem = "not tried"
    with httpx.Client(
        headers=credentials.headers(),
        timeout=TIMEOUT_S,
        follow_redirects=False,
        trust_env=False,
    ) as client:
        for attempt in range(attempts):
            if attempt:
                time.sleep(PAUSE_S * attempt)
            try:
                answer = client.delete(f"{trading_url.rstrip('/')}/v2/orders")
            except httpx.TransportError as error:
                problem = type(error).__name__
                continue
            if answer.status_code in (200, 207):
                return ""
            problem = f"HTTP {answer.status_code}"
    return problem
