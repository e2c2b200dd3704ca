"""A real Xen's trace in, the fidelity of the model out.

`load` reads a window of a trace, `read_binary` a trace of your own machine; `Window.system()` and `Window.scheduler()` turn its measured
wake-ups and demands into a model run; `replay` does the same with guests that react; `fidelity` says how near the model came, `noise_floor`
how near it could come. For each window only the state at its start (`Opening`) is fitted, on its first 2.5 s, which are not scored; path
costs come from one window (`PATH_COSTS`) and serve all. What was chosen with the scored seconds in view is listed in docs/fidelity.md.
"""

from . import blocks, credit2, kernel_ticks, rtds
from .binary import read_binary
from .fidelity import Fidelity, Floor, fidelity, noise_floor
from .forced import forced_agreement
from .opening import Opening
from .reactive import replay
from .walk import Forced
from .window import PATH_COSTS, OpenedCredit, Window, load

__all__ = ["PATH_COSTS", "Fidelity", "Floor", "Forced", "OpenedCredit", "Opening", "Window", "blocks", "credit2", "fidelity", "forced_agreement",
           "kernel_ticks", "load", "noise_floor", "read_binary", "replay", "rtds"]
