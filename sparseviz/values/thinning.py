"""A reservoir over time: which of many takings stay where there is room for a few."""


class Slots:
    """A reservoir's slots: the newest stays, the rest lie evenly in time, the first among them.

    Kept are the takings whose number is a multiple of a stride, which doubles when the slots are full.
    """

    def __init__(self, number: int, takings: int = 0) -> None:
        self._free = list(range(number))
        self._held: list[tuple[int, int]] = []  # (number of the taking, slot), oldest first
        self._taken, self._stride = 0, 1
        for _ in range(takings):
            self.take()

    def held(self) -> dict[int, int]:
        """The generation number of every slot in use."""
        return {slot: number + 1 for number, slot in self._held}

    def take(self) -> tuple[int, int]:
        """The slot to write next, and the generation number to write it under: 1, 2, ..."""
        slot = self._free.pop(0) if self._free else self._drop()
        self._held.append((self._taken, slot))
        self._taken += 1
        return slot, self._taken

    def _drop(self) -> int:
        """Never the newest: until the next is whole it is the only late one."""
        if len(self._held) <= 2:
            return self._held.pop(0)[1]
        while True:
            for place, (number, slot) in enumerate(self._held[:-1]):
                if number % self._stride:
                    del self._held[place]
                    return slot
            self._stride *= 2
