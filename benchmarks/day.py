"""A whole day of hourly runs, some of which fail, and what it leaves of memory, open files, threads and the disk.

    uv run --group dev python benchmarks/day.py [--hours N] [--games N] [--rate N] [--busy]

The service, with two workers and an SQLite file, trains by its own schedule (`0 * * * *`), with the real trainer, while
somebody asks at a constant rate. RAWG, Slack and Weights & Biases are stand-ins; games are renamed and played from hour
to hour, and every fourth run is tracked. The service, and all that it starts, see a clock on the wall of their own
(`leaping_clock.c`, which takes a C compiler). It goes as it should while a run goes on; once that is over, and all was
measured, it leaps to three seconds before the next hour. So leases of ten seconds hold, and one that a leap makes
expire is taken by whichever worker comes first. What is counted by the other clock (timeouts, what is done once an
hour) knows of no leap. `--busy` is for a machine that does other things: the trainer is as urgent as all else there.

What grows from the sixth hour on is told at the end: a straight line through the hours, or through the later half of
them where that is flatter, and what it rises by until the last. Memory may rise by 3 % and 1.5 MB: whoever first tells
Slack, which any worker may be after a leap, loads what that takes, once. Open files may rise by 2, threads by 1,
versions by two (the current one and the one before it are kept beside the newest), other folders by 5 % and 50 kB.
History that is meant to be kept is shown, and not judged. The exit code is 1 where something else grew, or a request
failed.
"""

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from app.core.histories import Play
from benchmarks import serving_world, synthetic
from benchmarks.day_measures import Measures, print_head, print_hour, print_verdict
from benchmarks.day_world import DayWorld, trained
from benchmarks.service import serving
from tests.fakes import rawg, slack

_PLAYERS, _PLAYS, _KINDS = 300, 6_000, 4
_WORKERS = 2


def main() -> None:
    """Let the day go by, and print what it left."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--hours", type=int, default=24)
    arguments.add_argument("--games", type=int, default=200)
    arguments.add_argument("--rate", type=float, default=40, help="requests a second")
    arguments.add_argument("--busy", action="store_true")
    asked = arguments.parse_args()
    plays = _plays(asked.games)
    with (
        TemporaryDirectory(prefix="day-") as name,
        rawg.serve(serving_world.records(plays, asked.games)) as source,
        slack.serve() as told,
    ):
        world = DayWorld(Path(name), source, told, sorted({play.user_id for play in plays}), busy=asked.busy)
        serving_world.fill(world.database, plays)
        trained(world)
        with serving(world.settings, _WORKERS, folder=world.folder) as (process, port):
            ok = _day(world, process, port, asked.hours, asked.rate)
    sys.exit(0 if ok else 1)


def _day(world: DayWorld, process: int, port: int, hours: int, rate: float) -> bool:
    world.serves_at(port)
    measures = []
    print_head()
    with world.asking(rate) as load:
        for hour in range(hours):
            began = time.monotonic()
            planned, run = world.live_through(hour)
            seconds = time.monotonic() - began
            with load.paused():
                measures.append(Measures.of(world, process))
            print_hour(hour, planned, run, seconds, measures[-1])
        print(f"{load.answered:,} requests, {load.failed} failed; Slack took {len(world.slack.messages)} messages")
    return print_verdict(measures) and not load.failed


def _plays(games: int) -> list[Play]:
    """Draw plays of players each of whom likes one kind of games, so that models are better than popularity."""
    drawn = synthetic.plays(_PLAYS, _PLAYERS, games // _KINDS).tocoo()
    rows = zip(drawn.row.tolist(), drawn.col.tolist(), drawn.data.tolist(), strict=True)
    found = (Play(str(player + 1), 1 + game * _KINDS + player % _KINDS, hours * 10) for player, game, hours in rows)
    return sorted(found, key=lambda play: (play.user_id.encode(), play.game_id))


if __name__ == "__main__":
    main()
