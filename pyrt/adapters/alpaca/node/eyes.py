"""What people see of a node: page, logs, metrics, health and alerts, beside the trading loop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from pyrt.adapters.alpaca.node.gauges import EVERY_S, Gauges
from pyrt.adapters.alpaca.node.hands import Hands
from pyrt.errors import ConfigError
from pyrt.live.dashboard.view import NodeView
from pyrt.live.observe.alerts import Alerter
from pyrt.live.observe.health import FAILED, OK, Health
from pyrt.live.observe.logs import Logs
from pyrt.live.observe.losses import Losses
from pyrt.live.observe.metrics import Metrics
from pyrt.live.observe.redaction import Redactor
from pyrt.live.observe.targets import make_senders
from pyrt.live.process.control import Request

if TYPE_CHECKING:
    from pyrt.adapters.alpaca.node.live import LiveNode

LOG = logging.getLogger("pyrt.live.node")
HEARTBEAT_NS = 86_400_000_000_000
LATENCY_MAX_NS = 3_600_000_000_000
CRITICAL = frozenset(
    {
        *("journal", "strategy_stopped", "position_mismatch", "second_node", "restricted"),
        *("bad_event", "blind", "frozen", "watchdog_lost", "node_failed", "unknown_order"),
        *("unguarded", "emulated_lost", "left_behind", "stuck"),
    }
)
"""Alarms that a person has to hear of at once."""
TESTED = "alerts-tested"
"""When the test of the day was last sent, in the state folder: nodes are restarted daily."""


class Eyes:
    """Logs, metrics, health, alerts and the dashboard of one node.

    They open before the node has looked at anything, so that a start that fails is seen.

    Parameters
    ----------
    folder : Path
        The state folder; logs and tokens go below it.
    secrets, accounts : sequence of str
        Taken out of every line; of accounts' numbers the last four characters stay.
    environment : mapping, optional
        Where secrets of alerts are; by default that of the process.
    """

    def __init__(
        self,
        folder: Path,
        secrets: tuple[str, ...] = (),
        accounts: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = folder
        self._environment = environment
        self._redactor = Redactor(secrets, accounts)
        self.metrics = Metrics()
        self.health = Health(clean=self._redactor.redact)
        self.view: NodeView | None = None
        self.server: Any = None
        self._gauges = Gauges(folder, self.metrics, self.health)
        self._hands = Hands(folder=folder)
        self._losses = Losses(self.metrics, self.health)
        self._logs: Logs | None = None
        self._alerter: Alerter | None = None
        self._task: asyncio.Task[None] | None = None
        self._node: LiveNode | None = None
        self._tested_at = 0
        self._failure = ""

    def open(self, node: LiveNode) -> None:
        """Open the eyes; nothing of the node needs to be there yet."""
        self._node = node
        config = node.config
        self.health.last_exit = _last_exit(self._folder)
        senders = make_senders(config.alerts, self._redactor, self._environment)
        self._logs = Logs(
            self._folder / "logs", level=config.log_level, redactor=self._redactor
        ).start()
        self._alerter = Alerter(senders).start()
        self._test_alerts()
        self.view = NodeView(
            self.health,
            self.metrics,
            control=self._control,
            clock=time.time_ns,
            name=node.run_id,
            mode=config.mode,
            connections=lambda: self._gauges.connections(node),
            log_lines=self._lines,
            clean=self._redactor.redact,
        )
        self._look(node, 0.0)
        if config.dashboard:
            from pyrt.live.dashboard.server import DashboardServer

            self.server = DashboardServer(
                self.view,
                port=config.dashboard_port,
                folder=self._folder,
                # The node that trades the account may run beside a shadow, by the same settings.
                or_any=config.shadow,
            ).start()
            LOG.info("the dashboard listens on %s", self.server.url)
        self._task = asyncio.create_task(self._run(node))

    def hear(self, driver: Any) -> None:
        """Hear the alarms of a driver, and let it write none of our secrets down.

        It hears of the kills that came before it.
        """
        self._hands.hand_kills_over(driver)
        before = driver.scribe.on_alarm

        def on_alarm(code: str, text: str) -> None:
            self._on_alarm(code, text)
            if before is not None:
                before(code, text)

        self._learn_accounts(driver)
        driver.scribe.on_alarm = on_alarm
        driver.scribe.clean = self._redactor.redact

    async def begin(self, node: LiveNode) -> None:
        """Show the kernel, once the node has looked at its account."""
        assert node.driver is not None
        assert node.core is not None
        if self.view is None:
            self.open(node)
            self.hear(node.driver)
        assert self.view is not None
        self._learn_accounts(node.driver)
        account = "" if node.driver.last_look is None else node.driver.last_look.account
        bus = node.core.kernel.bus
        bus.subscribe("order.*", self._on_order, priority=-950)
        bus.subscribe("fill.*", self._on_fill, priority=-950)
        node.time_stages(self.metrics.stages)
        self._gauges.begin([strategy.name for strategy in node.core.kernel.strategies])
        self.view.attach(node.core.kernel, account)
        self._look(node, 0.0)

    def tell_end(self, error: Exception) -> None:
        """Tell people that the node ends for an error; a start that fails is one."""
        if self._node is not None and self._node.driver is not None:
            # A start that is refused for its account names it.
            self._learn_accounts(self._node.driver)
        self._on_alarm("node_failed", self._redactor.redact(f"{type(error).__name__}: {error}"))
        LOG.error("the node ends", exc_info=error)
        self._note_exit(self._redactor.redact(str(error)))
        self._node = None

    def _learn_accounts(self, driver: Any) -> None:
        """Let nothing be told of the accounts that the node has seen but their last characters."""
        looked_at = "" if driver.last_look is None else driver.last_look.account
        self._redactor.add_accounts(driver.journal.state.account, looked_at)

    def _note_exit(self, why: str) -> None:
        try:
            (self._folder / "last-exit").write_text(why, "utf-8")
        except OSError as error:
            LOG.error("why the node ended is not kept: %s", error)

    async def end(self) -> None:
        """Close them; what is queued is written and sent."""
        if self._task is not None:
            self._task.cancel()
        if self.server is not None:
            self.server.close()
        node = self._node
        if node is not None and node.driver is not None:
            LOG.info("the node stops: %s", node.driver.stop_reason or "it ends")
            self._note_exit(node.driver.stop_reason or "ended")
        if self._alerter is not None:
            self._alerter.close()
        if self._logs is not None:
            self._logs.close()

    # -- listening -----------------------------------------------------------------------------

    def _on_order(self, event: Any) -> None:
        self.metrics.count("order_events", event.kind)
        if event.kind == "rejected":
            self.metrics.count("rejects")
        elif event.kind == "denied":
            self.metrics.count("denials", event.reason.split(":")[0])
        elif event.kind == "accepted":
            self.metrics.stages["ack"].observe(event.ts_init - event.order.ts_init)
        LOG.info(
            "%s %s",
            event.client_order_id,
            event.kind,
            extra={
                "symbol": event.symbol,
                "status": event.status,
                "reason": event.reason,
                "order_trace": self._trace_of(event.order.number),
            },
        )

    def _trace_of(self, number: int) -> str:
        """Return the id of the message that an order came of."""
        node = self._node
        return "" if node is None or node.driver is None else node.driver.scribe.trace_of(number)

    def _on_fill(self, fill: Any) -> None:
        late_ns = fill.ts_init - fill.ts_event
        # A simulator of another day has a time of its own: that is no latency.
        if late_ns < LATENCY_MAX_NS:
            self.metrics.stages["fill"].observe(late_ns)
        LOG.info(
            "%s filled",
            fill.client_order_id,
            extra={
                "symbol": fill.symbol,
                "quantity": fill.quantity,
                "price": fill.price,
                "order_trace": self._trace_of(fill.order.number),
            },
        )

    def _on_alarm(self, code: str, text: str) -> None:
        self.metrics.count("alarms", code)
        if code == "strategy_stopped":
            self.metrics.count("exceptions", text.replace(".", " ").split()[0])
        if self.view is not None:
            self.view.history.add_alarm(time.time_ns(), code, text)
        if self._alerter is not None:
            self._alerter.send("critical" if code in CRITICAL else "warning", code, text)

    # -- looking -------------------------------------------------------------------------------

    async def _run(self, node: LiveNode) -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(EVERY_S)
            try:
                self._look(node, max(0.0, time.monotonic() - began - EVERY_S))
                self._test_alerts()
            except Exception as error:
                # Whoever looks would else go on seeing what once was.
                self._tell_failure(error)
            else:
                self._tell_failure(None)

    def _tell_failure(self, error: Exception | None) -> None:
        """Say in health whether what people see is up to date; log what is new."""
        failure = "" if error is None else self._redactor.redact(f"{type(error).__name__}: {error}")
        if error is not None and failure != self._failure:
            LOG.error("what people see of the node is not up to date", exc_info=error)
        if failure or self._failure:
            status = FAILED if failure else OK
            self.health.report("figures", status, failure, now=time.time_ns())
        self._failure = failure

    def _look(self, node: LiveNode, lag_s: float) -> None:
        """Bring health and gauges up to date, and make what the page shows."""
        self._gauges.look(node, lag_s)
        if self._logs is not None:
            self._losses.look_at_logs(self._logs, time.time_ns())
        if self._alerter is not None:
            self._losses.look_at_alerts(self._alerter, time.time_ns())
        node.tell_stages()
        if self.view is not None:
            self.view.refresh()

    def _test_alerts(self) -> None:
        """Send the test of the day, where the last one is a day old; a restart sends no other."""
        if self._alerter is None or not self._alerter.senders:
            return
        path, now = self._folder / TESTED, time.time_ns()
        try:
            last = msgspec.json.decode(path.read_bytes(), type=int)
        except (OSError, msgspec.DecodeError):
            last = 0
        if not 0 <= now - max(last, self._tested_at) < HEARTBEAT_NS:
            self._tested_at = now
            self._alerter.heartbeat()
            with suppress(OSError):
                # On a full disk a restart sends another.
                path.write_bytes(msgspec.json.encode(now))

    def _lines(self) -> list[str]:
        return [] if self._logs is None else list(self._logs.tail.lines)

    # -- hands ---------------------------------------------------------------------------------

    async def _control(self, request: Request) -> dict[str, Any]:
        """Carry an action over into the node's thread; called in the dashboard's."""
        node = self._node
        if node is None:
            raise ConfigError("the node does not run", code="not_running")
        return await self._hands.carry(node, request)


def _last_exit(folder: Path) -> str:
    """Return why the run before ended; it says nothing after a crash."""
    path = folder / "last-exit"
    text = path.read_text("utf-8") if path.exists() else ""
    # Whoever reads it next finds this, unless the run ends in order and says why.
    path.write_text("it died", "utf-8")
    return text
