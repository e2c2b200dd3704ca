"""Popek and Goldberg's question put to real instruction sets, executed by an emulator - and, in user mode, to the reader's own processor.

`classify` executes every form of an instruction set and derives its class, `compare` holds the result against the literature, `here` runs a
fixed list of harmless instructions natively. One file an instruction set (`x86.py`, `arm.py`, ...) says which bytes are executed, how the
modes are entered, and what is varied.
"""

from .classification import Classification, classify, installed
from .comparison import Comparison, compare
from .names import NAMES
from .native import Here, here

__all__ = ["NAMES", "Classification", "Comparison", "Here", "classify", "compare", "here", "installed"]
