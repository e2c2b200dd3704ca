"""Throughput, without a simulation: parts that a packet meets, prices of these, and so rates and how busy a processor is.

    rv.throughput.rate("page_flip", "dell-2650", mtu=500)            Mb/s, limited by what, busy how much, ns by part
    rv.throughput.rate("split_driver", "xen-2.0", segment=65_535)    offload: one crossing for many packets
    rv.throughput.rate(rv.throughput.hosted(combined=True), "pc-733")       a hosted monitor, with cures
    rv.throughput.exits("virtio", batch=8)                           exits a packet
    rv.throughput.bottleneck({"guest": 3000, "back end": 4463}, processors={"back end": 2})
    rv.throughput.batched(...), .closed_loop(...), .window_rate(...)  what waiting does to rates
    rv.throughput.reservation(3, 16, work=1.8, period=12.5)          a soft modem's
    rv.throughput.predictions(), .residuals()                        every published row beside the model
    rv.throughput.paths(), .machines(), .prices("dell-2650")         what there is

Waiting for a processor is not in it: that is what the event loop is for. Prices are fitted on primary and author data only;
docs/throughput.md has them, and what is not explained.
"""

from .catalogue import machines, paths, prices, published
from .hosted import hosted
from .loops import Batch, Bottleneck, batched, bottleneck, closed_loop, window_rate
from .machines import Machine, machine
from .modem import Reservation, reservation
from .paths import LARGEST_SEGMENT, PARTS, PATHS, Path
from .predictions import predictions, residuals
from .rate import Rate, exits, rate

__all__ = ["LARGEST_SEGMENT", "PARTS", "PATHS", "Batch", "Bottleneck", "Machine", "Path", "Rate", "Reservation", "batched", "bottleneck",
           "closed_loop", "exits", "hosted", "machine", "machines", "paths", "predictions", "prices", "published", "rate", "reservation", "residuals",
           "window_rate"]
