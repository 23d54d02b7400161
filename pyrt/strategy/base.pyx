"""What a strategy is before it does anything: its name, its parameters, its place in an engine."""

from pyrt.errors import ConfigError, NameTaken

cdef extern from *:
    int set_attribute "PyObject_GenericSetAttr" (object o, object name, object value) except -1


cdef object taken(StrategyBase strategy, str name, object value):
    """Return the error of setting an attribute that is not the user's to set."""
    cdef str kind = type(strategy).__name__
    if name in strategy._frozen:
        return NameTaken(
            f"{name!r} is a parameter of {kind} and fixed at construction",
            remedy=f"Give it by keyword, {kind}({name}={value!r}), or keep changing state under "
            "another name",
            name=name,
        )
    text = (getattr(getattr(type(strategy), name, None), "__doc__", None) or "").strip()
    what = f": {text.splitlines()[0].rstrip('.')}" if text else ""
    return NameTaken(
        f"self.{name} belongs to every strategy{what}",
        remedy=f"Keep yours under another name, such as self.my_{name}",
        name=name,
    )


cdef class StrategyBase(Owner):
    """Parameters that are set once, and the engine, once there is one."""

    def __cinit__(self, *args, **kwargs):
        self._frozen = self._taken = frozenset()
        self._attached = []
        self.name = type(self).__name__
        self.stop_reason = ""

    def __setattr__(self, str name, value):
        if name in self._taken:
            raise taken(self, name, value)
        try:
            set_attribute(self, name, value)
        except AttributeError:
            raise taken(self, name, value) from None

    def _freeze(self, dict values, capital, frozenset commands):
        """Set the parameters once and make them read-only; `commands` may not be hidden either."""
        for name, value in values.items():
            set_attribute(self, name, value)
        self._frozen = frozenset(values)
        self._taken = self._frozen | commands
        self.capital = capital

    cdef int attach_to(self, int number, str name, object kernel, OrderDesk desk, Clock clock,
                       dict book) except -1:
        self.number = number
        self.name = name
        self._kernel = kernel
        self._desk = desk
        self._book = book
        self._clock = clock
        self.has_run = True
        return 0

    cdef int set_running(self, bint running, str reason) except -1:
        self.running = running
        self.stop_reason = reason
        return 0

    cdef object kernel(self):
        if self._kernel is None:
            raise ConfigError(
                f"{type(self).__name__} is not in an engine yet",
                remedy="Commands and lookups work from on_start on",
            )
        return self._kernel

    def __repr__(self):
        values = ", ".join(f"{k}={getattr(self, k)!r}" for k in sorted(self._frozen))
        return f"{type(self).__name__}({values})"
