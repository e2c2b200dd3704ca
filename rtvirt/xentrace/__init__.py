"""A real Xen's trace in, the fidelity of the model out.

`load` reads a shipped window of a trace, `read_binary` a trace of your own machine; `Window.system()` and `Window.scheduler()` turn its
measured wake-ups and demands into a model run; `fidelity` says how near the model came. Nothing is fitted but the credits at the window's
start, on its first 2.5 s, which are not scored; path costs come from one window (`PATH_COSTS`) and serve all.
"""

from .binary import read_binary
from .fidelity import Fidelity, fidelity
from .forced import Forced, forced_agreement
from .window import PATH_COSTS, Window, load

__all__ = ["PATH_COSTS", "Fidelity", "Forced", "Window", "fidelity", "forced_agreement", "load", "read_binary"]
