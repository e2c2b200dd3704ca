"""Virtual machine monitors after Popek and Goldberg.

dispatch.py     the dispatcher and its interpreters
host.py         the allocator, turns, tables of who executed what
hypercalls.py   what a paravirtual guest may ask for
patching.py     binary translation: which words are replaced
equivalence.py  does a guest run as on the bare machine?
trace.py        a guest's instructions one by one
monitor.asm     a monitor in the machine's own language, which can run itself
nest.py         monitors in monitors; depths.py compares them; maps.py has Goldberg's maps
"""

from __future__ import annotations

from .depths import Nests, compositions
from .equivalence import Equivalence, check
from .host import STYLES, Monitor, VirtualMachine
from .nest import Nest, nest
from .trace import Step, Trace

__all__ = ["STYLES", "Equivalence", "Monitor", "Nest", "Nests", "Step", "Trace", "VirtualMachine", "check", "compositions", "nest"]
