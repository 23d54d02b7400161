"""Topics to and from other processes over ZeroMQ; needs the extra `pyrt[zmq]`."""

from __future__ import annotations

from pyrt.links.frames import Message
from pyrt.links.publisher import Publisher
from pyrt.links.signals import SignalInlet, SignalSender
from pyrt.links.subscriber import Subscriber
from pyrt.links.topics import TOPICS

__all__ = ["TOPICS", "Message", "Publisher", "SignalInlet", "SignalSender", "Subscriber"]
