"""`rtvirt classify ISA`: which instructions are sensitive, which privileged, and what the theorems say."""

from __future__ import annotations

from typing import Any

import click


@click.command(help="Classify the instruction set ISA by the definitions of Popek and Goldberg, and apply their theorems. "
                    "ISA is clean, pdp10, x86, m68000, m68010, arm, vax or s390x; or a real one, whose instructions are executed in an "
                    "emulator: x86-32, x86-64, armv7-a, aarch64, rv64, mips32, ppc32, coldfire, and with --real also m68000 and s390x. "
                    "Options about models, bits and draws do not concern real ones.")
@click.argument("isa")
@click.option("--model", default="1974", show_default=True, help="1974, or extended: timer, interrupt switch and devices are control state too.")
@click.option("--bits", default=2, show_default=True, help="Bits of a word of the machine that is exhausted.")
@click.option("--store", default=None, type=int, help="Its words of storage; default: two more than a word can address.")
@click.option("--trials", default=None, type=int, help="Draw that many states per opcode instead of exhausting (then up to 32 bits).")
@click.option("--seed", default=0, show_default=True, help="Of the draws.")
@click.option("--witness", default=None, metavar="OPCODE", help="Show the states that prove the verdict on one opcode.")
@click.option("--real", is_flag=True, help="The real instruction set of that name (m68000, s390x), not the machine's variant.")
@click.option("--csv", default=None, type=click.Path(dir_okay=False), help="Write the table.")
def classify(isa: str, model: str, bits: int, store: int | None, trials: int | None, seed: int, witness: str | None, real: bool,
             csv: str | None) -> None:
    """Print the classification and the theorems."""
    from ..machine import BUILT_IN, theorems
    from ..machine import classify as derive
    from ..silicon import NAMES

    if real or (isa in NAMES and isa not in BUILT_IN):
        return show_real(isa, witness, csv)

    found = derive(isa, model=model, bits=bits, store=store, trials=trials, seed=seed, only=witness)
    if witness:
        click.echo(repr(found.verdicts[0]))
        return None
    click.echo(f"{found}\n\n{theorems(found)}")
    save(found, csv)
    return None


def show_real(isa: str, form: str | None, csv: str | None) -> None:
    """Print the classes of a real instruction set's forms, and how they compare with the literature."""
    from .. import silicon

    found = silicon.classify(isa)
    if form:
        click.echo(found.witness(form).to_string())
        return
    click.echo(f"{found}\n\n{silicon.compare(found)}")
    save(found, csv)


def save(found: Any, csv: str | None) -> None:
    """Write the table, if asked to."""
    if csv:
        found.table.to_csv(csv)
        click.echo(f"wrote {csv}")
