"""Draws: each value depends on the seed and its own name alone, and is written down."""

from household.draw import Draw


def test_a_new_draw_leaves_the_others_as_they_were():
    first, second = Draw(7), Draw(7)
    second.uniform("new", 0, 1)
    assert first.uniform("old", 0, 1) == second.uniform("old", 0, 1)
    assert second.log.keys() == {"new", "old"}


def test_scopes_share_the_log_and_not_the_values():
    d = Draw(1)
    assert d.scope("a").uniform("x", 0, 1) != d.scope("b").uniform("x", 0, 1)
    assert set(d.log) == {"a.x", "b.x"}


def test_cycle_covers_all_options():
    assert {Draw(seed).cycle("kind", "abc") for seed in range(20, 23)} == set("abc")
