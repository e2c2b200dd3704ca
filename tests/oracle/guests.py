"""What the slow machine of machine.py says about guests of two kinds of monitor, written from docs/popek-goldberg.md, sections 8 and 9."""

from __future__ import annotations

from .machine import WORD, Halt, Oracle, Trap


class Storage(list):
    """Storage that notices when somebody reads a patched word as data."""

    sites: set[int] = set()
    fetching = inspected = forged = False
    forgeries = lambda self, word: False  # noqa: E731

    def __getitem__(self, at):
        if isinstance(at, int):
            self.inspected |= at in self.sites and not self.fetching
            self.fetching = False
        return super().__getitem__(at)

    def __setitem__(self, at, value):
        self.forged |= any(self.forgeries(word) for word in (value if isinstance(at, slice) else [value]))
        if isinstance(at, int):
            self.sites.discard(at)
        super().__setitem__(at, value)


class Translated(Oracle):
    """A machine that finds out whether a program keeps to what binary translation asks of it (rule 9.3)."""

    def __init__(self, isa, words, size, p, sites, sensitive, forgeries):
        super().__init__(isa, words, size, p)
        self.E = Storage(self.E)
        self.E.sites, self.E.forgeries, self.sensitive, self.wrote = set(sites), forgeries, sensitive, False

    def instruction(self):
        """As always; and a sensitive word that was not there at load time has been made by the program."""
        try:
            at = self.place(self.p)
            self.wrote |= list.__getitem__(self.E, at) & 255 in self.sensitive and at not in self.E.sites
            self.E.fetching = True
        except Trap:
            pass
        super().instruction()

    @property
    def may_tell(self) -> bool:
        """True if it has looked at a patched word, made a sensitive one, or a word that looks like a call-out."""
        return self.E.inspected or self.wrote or self.E.forged


class Paravirtual(Oracle):
    """A machine with hypercalls. It notices when a program, running into its data, executes a sensitive word after all (rule 8.5)."""

    sensitive: frozenset[int] = frozenset()
    may_tell = False

    def instruction(self):
        try:
            self.may_tell |= self.E[self.place(self.p)] & 255 in self.sensitive
        except Trap:
            pass
        super().instruction()

    def svc(self, a, b, imm):
        if self.user or not 0x100 <= imm < 0x8000:
            raise Trap(3, imm)
        if imm == 0x10E:
            self.batch()
        else:
            self.call(imm)

    def words(self, at: int, count: int) -> list[int]:
        """Words at relative addresses; all must be reachable."""
        return [self.E[x] for x in [self.place((at + k) % WORD) for k in range(count)]]

    def load_psw(self, at: int) -> None:
        """Four words."""
        status, p, *r = self.words(at, 4)
        self.user, self.enabled, self.p, self.R = bool(status % 2), bool(status // 2 % 2), p, tuple(r)

    def call(self, number: int) -> None:
        """One operation."""
        x, y = self.r[1], self.r[2]
        if number == 0x100:
            raise Halt
        if number == 0x101:
            pass
        elif number == 0x102:
            self.load_psw(0)
        elif number == 0x103:
            self.load_psw(x)
        elif number == 0x104:
            registers = self.words(x, 12)[4:]
            self.load_psw(x)
            self.r = registers
        elif number == 0x105:
            self.R = (x, y)
        elif number == 0x106:
            self.r[1:3] = self.R
        elif number == 0x107:
            self.enabled = bool(x // 2 % 2)
        elif number == 0x108:
            self.set(1, self.user + 2 * self.enabled)
        elif number == 0x109:
            self.stt(1, 0, 0)
        elif number == 0x10A:
            self.set(1, 0 if self.left is None else self.left + self.just_set)
        elif number == 0x10B:
            self.out(1, 0, y)
        elif number == 0x10C:
            self.in_(1, 0, y)
        elif number == 0x10D:
            if y > 256:
                raise Trap(3, number)
            self.console += self.words(x, y)
        else:
            raise Trap(3, number)

    def batch(self) -> None:
        """A list, 64 entries at most; then the same instruction comes again."""
        for _ in range(64):
            at, left = self.r[3], self.r[4]
            if left == 0:
                return
            number, self.r[1], self.r[2] = self.words(at, 3)
            if number == 0x10E:
                raise Trap(3, number)
            self.r[3:5] = (at + 3) % WORD, left - 1
            try:
                self.call(number)
            except Trap:
                self.r[3:5] = at, left
                raise
            if number in (0x106, 0x108, 0x10A, 0x10C):
                for k in (1, 2):
                    self.E[self.place((at + k) % WORD)] = self.r[k]
            if number in (0x101, 0x102, 0x103, 0x104):
                return
        if self.r[4]:
            self.p -= 1
