"""`rtvirt classify ISA`: which instructions are sensitive, which privileged, and what the theorems say."""

from __future__ import annotations

import click


@click.command(help="Classify the instruction set ISA by the definitions of Popek and Goldberg, and apply their theorems. "
                    "ISA is clean, pdp10, x86, m68000, m68010, arm, vax or s390x.")
@click.argument("isa")
@click.option("--model", default="1974", show_default=True, help="1974, or extended: timer, interrupt switch and devices are control state too.")
@click.option("--bits", default=2, show_default=True, help="Bits of a word of the machine that is exhausted.")
@click.option("--store", default=None, type=int, help="Its words of storage; default: two more than a word can address.")
@click.option("--trials", default=None, type=int, help="Draw that many states per opcode instead of exhausting (then up to 32 bits).")
@click.option("--seed", default=0, show_default=True, help="Of the draws.")
@click.option("--witness", default=None, metavar="OPCODE", help="Show the states that prove the verdict on one opcode.")
@click.option("--csv", default=None, type=click.Path(dir_okay=False), help="Write the table.")
def classify(isa: str, model: str, bits: int, store: int | None, trials: int | None, seed: int, witness: str | None, csv: str | None) -> None:
    """Print the classification and the theorems."""
    from ..machine import classify as derive
    from ..machine import theorems

    found = derive(isa, model=model, bits=bits, store=store, trials=trials, seed=seed, only=witness)
    if witness:
        click.echo(repr(found.verdicts[0]))
        return
    click.echo(f"{found}\n\n{theorems(found)}")
    if csv:
        found.table.to_csv(csv)
        click.echo(f"wrote {csv}")
