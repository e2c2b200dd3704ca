"""Admission control: what a scheduler promises its vCPUs, and whether that is enough for the tasks in them."""

from .admit import admit
from .outcome import Admission
from .provision import Provision, provision
from .sections import Trapping
from .shares import ProportionalShare, share_table

__all__ = ["Admission", "ProportionalShare", "Provision", "Trapping", "admit", "provision", "share_table"]
