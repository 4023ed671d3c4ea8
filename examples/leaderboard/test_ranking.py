from __future__ import annotations

import fakeredis
import pytest
from function.ranking import Leaderboard


@pytest.fixture
def board() -> Leaderboard:
    return Leaderboard(fakeredis.FakeRedis(decode_responses=True))


def test_the_best_score_of_a_player_counts(board: Leaderboard) -> None:
    assert board.submit("ada", 120) == 1
    assert board.submit("bob", 150) == 1
    assert board.submit("bob", 10) == 1

    assert board.top() == [("bob", 150), ("ada", 120)]


def test_a_player_sees_the_neighbours(board: Leaderboard) -> None:
    for number, player in enumerate(["eve", "dan", "cyd", "bob", "ada"]):
        board.submit(player, number)

    assert board.around("cyd") == [("bob", 3), ("cyd", 2), ("dan", 1)]
    assert board.around("ada") == [("ada", 4), ("bob", 3)]
    assert board.around("nobody") == []
