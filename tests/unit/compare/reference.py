"""Bradley-Terry once more, by another method and without arrays: what the product's numbers are compared with."""

import math
from collections.abc import Mapping

ELO = 400 / math.log(10)
ROUNDS = 20_000
CLOSE = 1e-13


def most_likely(wins: Mapping[tuple[str, str], float]) -> dict[str, float]:
    """Log odds around zero, without any prior, by minorisation and maximisation (Hunter 2004)."""
    names = sorted({name for pair in wins for name in pair})
    won = {name: sum(count for (winner, _), count in wins.items() if winner == name) for name in names}
    fought = {(a, b): wins.get((a, b), 0) + wins.get((b, a), 0) for a in names for b in names if a != b}
    worth = dict.fromkeys(names, 1.0)
    for _ in range(ROUNDS):
        new = {
            a: won[a] / sum(fought[a, b] / (worth[a] + worth[b]) for b in names if b != a and fought[a, b])
            for a in names
        }
        scale = math.exp(sum(map(math.log, new.values())) / len(names))
        new = {name: value / scale for name, value in new.items()}
        moved = max(abs(new[name] - worth[name]) for name in names)
        worth = new
        if moved < CLOSE:
            break
    return {name: math.log(value) for name, value in worth.items()}


def most_probable(wins: Mapping[tuple[str, str], float], prior_elo: float) -> dict[str, float]:
    """The same with a normal prior on every strength, one strength at a time by halving intervals."""
    names = sorted({name for pair in wins for name in pair})
    precision = (ELO / prior_elo) ** 2
    odds = dict.fromkeys(names, 0.0)

    def slope(name: str, at: float) -> float:
        total = -precision * at
        for (winner, loser), count in wins.items():
            if winner == name:
                total += count / (1 + math.exp(at - odds[loser]))
            elif loser == name:
                total -= count / (1 + math.exp(odds[winner] - at))
        return total

    for _ in range(ROUNDS):
        moved = 0.0
        for name in names:
            low, high = -50.0, 50.0
            while high - low > CLOSE:
                middle = (low + high) / 2
                low, high = (middle, high) if slope(name, middle) > 0 else (low, middle)
            moved = max(moved, abs(low - odds[name]))
            odds[name] = low
        if moved < 1e-10:
            break
    return odds
