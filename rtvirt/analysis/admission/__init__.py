"""Admission control: what a scheduler promises its vCPUs, and whether that is enough for the tasks in them."""

from .admit import admit
from .outcome import Admission
from .provision import Provision, provision
from .sections import Trapping

__all__ = ["Admission", "Provision", "Trapping", "admit", "provision"]
