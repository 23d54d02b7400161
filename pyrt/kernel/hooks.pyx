"""The handlers a strategy defines, looked up once, and the channels its news go to."""
cimport cython

from pyrt.core.bus cimport MessageBus
from pyrt.core.types cimport (
    EV_ACCEPTED, EV_CANCELED, EV_DENIED, EV_EXPIRED, EV_MODIFIED, EV_MODIFY_REJECTED,
    EV_REJECTED, EV_TRIGGERED,
)

NARROW = {
    "on_accept": (EV_ACCEPTED,), "on_reject": (EV_REJECTED,), "on_deny": (EV_DENIED,),
    "on_cancel": (EV_CANCELED,), "on_expire": (EV_EXPIRED,), "on_trigger": (EV_TRIGGERED,),
    "on_modify": (EV_MODIFIED, EV_MODIFY_REJECTED),
}


@cython.final
cdef class Hooks:
    """The handlers one strategy defines, looked up once; None where it defines none."""

    def __init__(self, strategy, MessageBus bus, str name):
        def found(handler):
            return getattr(strategy, handler) if strategy.handles(handler) else None

        self.on_order = found("on_order")
        self.on_fill = found("on_fill")
        self.on_position = found("on_position")
        self.on_timer = found("on_timer")
        self.on_status = found("on_status")
        self.narrow = {
            kind: found(handler) for handler, kinds in NARROW.items() for kind in kinds
            if strategy.handles(handler)
        }
        self.listens = bool(
            self.narrow or self.on_order or self.on_fill or self.on_position
        )
        self.orders = bus.channel(f"order.{name}")
        self.fills = bus.channel(f"fill.{name}")
        self.positions = bus.channel(f"position.{name}")
