"""Admission control: what a scheduler promises its vCPUs, and whether that is enough for the tasks in them."""

from .admit import admit
from .outcome import Admission
from .provision import Provision, provision

__all__ = ["Admission", "Provision", "admit", "provision"]
