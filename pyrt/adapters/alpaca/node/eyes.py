"""What people see of a node: page, logs, metrics, health and alerts, beside the trading loop."""

from __future__ import annotations

import asyncio
import logging
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyrt.adapters.alpaca.node.companions import carry_out
from pyrt.errors import ConfigError, PyrtError
from pyrt.live.dashboard.view import Connection, NodeView
from pyrt.live.observe.alerts import Alerter
from pyrt.live.observe.health import DEGRADED, FAILED, OK, Health
from pyrt.live.observe.logs import Logs
from pyrt.live.observe.metrics import Metrics
from pyrt.live.observe.redaction import Redactor
from pyrt.live.observe.targets import make_senders
from pyrt.live.process.control import Request

if TYPE_CHECKING:
    from pyrt.adapters.alpaca.node.live import LiveNode

LOG = logging.getLogger("pyrt.live.node")
EVERY_S = 1.0
HEARTBEAT_S = 86_400.0
PATIENCE_S = 10.0
LATENCY_MAX_NS = 3_600_000_000_000
CRITICAL = frozenset(
    {"journal", "strategy_stopped", "position_mismatch", "second_node", "restricted", "bad_event"}
)
"""Alarms that a person has to hear of at once."""


class Eyes:
    """Logs, metrics, health, alerts and the dashboard of one node.

    Parameters
    ----------
    folder : Path
        The state folder; logs and tokens go below it.
    secrets : sequence of str
        Taken out of every line.
    """

    def __init__(self, folder: Path, secrets: tuple[str, ...] = ()) -> None:
        self._folder = folder
        self._redactor = Redactor(secrets)
        self.metrics = Metrics()
        self.health = Health(last_exit=_last_exit(folder))
        self.view: NodeView | None = None
        self.server: Any = None
        self._logs: Logs | None = None
        self._alerter: Alerter | None = None
        self._task: asyncio.Task[None] | None = None
        self._node: LiveNode | None = None
        self._seen: dict[str, tuple[bool, int, int]] = {}

    async def begin(self, node: LiveNode) -> None:
        """Open the eyes, once the node has looked at its account."""
        assert node.driver is not None
        assert node.core is not None
        self._node = node
        config, driver = node.config, node.driver
        self._redactor.add(*([driver.last_look.account] if driver.last_look else []))
        self._logs = Logs(
            self._folder / "logs", level=config.log_level, redactor=self._redactor
        ).start()
        self._alerter = Alerter(make_senders(config.alerts, self._redactor)).start()
        self._listen(node)
        node.time_stages(self.metrics.stages)
        self.view = NodeView(
            node.core.kernel,
            self.health,
            self.metrics,
            control=self._control,
            clock=time.time_ns,
            name=driver.plan.run_id,
            mode=config.mode,
            account="" if driver.last_look is None else driver.last_look.account,
            connections=lambda: self._connections(node),
            log_lines=self._lines,
        )
        if config.dashboard:
            from pyrt.live.dashboard.server import DashboardServer

            self.server = DashboardServer(
                self.view, port=config.dashboard_port, folder=self._folder
            ).start()
            LOG.info("the dashboard listens on %s", self.server.url)
        self._look(node, 0.0)
        self._task = asyncio.create_task(self._run(node))

    async def end(self) -> None:
        """Close them; what is queued is written and sent."""
        if self._task is not None:
            self._task.cancel()
        if self.server is not None:
            self.server.close()
        node = self._node
        if node is not None and node.driver is not None:
            LOG.info("the node stops: %s", node.driver.stop_reason or "it ends")
            (self._folder / "last-exit").write_text(node.driver.stop_reason or "ended", "utf-8")
        if self._alerter is not None:
            self._alerter.close()
        if self._logs is not None:
            self._logs.close()

    # -- listening -----------------------------------------------------------------------------

    def _listen(self, node: LiveNode) -> None:
        assert node.core is not None
        assert node.driver is not None
        bus = node.core.kernel.bus
        bus.subscribe("order.*", self._on_order, priority=-950)
        bus.subscribe("fill.*", self._on_fill, priority=-950)
        before = node.driver.scribe.on_alarm

        def on_alarm(code: str, text: str) -> None:
            self._on_alarm(code, text)
            if before is not None:
                before(code, text)

        node.driver.scribe.on_alarm = on_alarm

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
            self.metrics.count("exceptions", text.split(".")[0])
        if self.view is not None:
            self.view.history.add_alarm(time.time_ns(), code, text)
        if self._alerter is not None:
            self._alerter.send("critical" if code in CRITICAL else "warning", code, text)

    # -- looking -------------------------------------------------------------------------------

    async def _run(self, node: LiveNode) -> None:
        beat_at = time.monotonic()
        while True:
            began = time.monotonic()
            await asyncio.sleep(EVERY_S)
            self._look(node, max(0.0, time.monotonic() - began - EVERY_S))
            if time.monotonic() - beat_at >= HEARTBEAT_S and self._alerter is not None:
                beat_at = time.monotonic()
                self._alerter.heartbeat()

    def _look(self, node: LiveNode, lag_s: float) -> None:
        """Bring health and gauges up to date, and make what the page shows."""
        driver = node.driver
        assert driver is not None
        now = time.time_ns()
        report, put = self.health.report, self.metrics.set
        self.health.beat(now)
        failure = driver.journal.failure
        report("journal", FAILED if failure else OK, str(failure or ""), now=now)
        waiting = driver.journal.last - driver.journal.durable
        put("queue_depth", waiting, "journal")
        put("queue_depth", driver.held_back, "orders held back")
        put("loop_lag_seconds", lag_s)
        put("resident_memory_bytes", resident_bytes())
        report("loop", OK if lag_s < 1.0 else DEGRADED, f"{lag_s:.3f} s late", now=now)
        for connection in self._connections(node):
            up = connection.is_up
            report(connection.name, OK if up else DEGRADED, connection.state, now=now)
        latched = driver.latch.is_set
        report("orders", DEGRADED if latched else OK, driver.latch.reason, now=now)
        (self.health.reached if driver.last_look else self.health.lost)("reconciled")
        (self.health.reached if driver.is_ready else self.health.lost)("warmed_up")
        node.tell_stages()
        if self.view is not None:
            self.view.refresh()

    def _connections(self, node: LiveNode) -> Iterator[Connection]:
        now = time.time_ns()
        for name, stream in node.streams():
            up, since, count = self._seen.get(name, (False, 0, -1))
            if stream.is_active != up:
                up, since = stream.is_active, now
                count += up
                if up and count > 0:
                    self.metrics.count("reconnects", name)
            self._seen[name] = (up, since, count)
            state = "up" if up else "down"
            yield Connection(name, state, up, since, max(count, 0))

    def _lines(self) -> list[str]:
        return [] if self._logs is None else list(self._logs.tail.lines)

    # -- hands ---------------------------------------------------------------------------------

    def _control(self, request: Request) -> dict[str, Any]:
        """Carry an action over into the node's thread; called from the dashboard's."""
        node = self._node
        if node is None or node.loop is None:
            raise ConfigError("the node does not run", code="not_running")
        is_whole = not (request.symbol or request.strategy)
        if request.action == "halt" and is_whole and node.driver is not None:
            # The latch closes at once, whatever the loop is busy with.
            node.driver.latch.set(f"{request.actor}: {request.reason}")
        work = _later(lambda: carry_out(node, request))
        try:
            done = asyncio.run_coroutine_threadsafe(work, node.loop).result(PATIENCE_S)
        except TimeoutError:
            blocked = "; orders are blocked" if request.action == "halt" else ""
            raise PyrtError(f"the node does not answer{blocked}", code="no_answer") from None
        return {"message": done["done"]}


async def _later(what: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    return what()


def resident_bytes() -> int:
    """Return the memory that the process has in RAM; the most it has had where that is unknown."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return pages * resource.getpagesize()


def _last_exit(folder: Path) -> str:
    """Return why the run before ended; it says nothing after a crash."""
    path = folder / "last-exit"
    if not path.exists():
        return ""
    text = path.read_text("utf-8")
    # Whoever reads it next finds this, unless the run ends in order and says why.
    path.write_text("it died", "utf-8")
    return text
