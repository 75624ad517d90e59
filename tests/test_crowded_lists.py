"""The look-up works while others charge on the same account and the lists show our own charge
late.
"""

import pytest

from tests.world import order


@pytest.mark.fault("B32", "B07", "I1")
def test_a_lost_answer_is_adopted_from_a_list_that_grows_and_lags(market):
    """Two answers are lost, lists show their charges late, and two strangers more come with every
    page.
    """
    rows = [order(number) for number in range(8)]
    market.orders(rows)
    market.job()
    lost = market.sandbox.add_rule(action="reset_after", hide_s=0.2, nth=[2, 5])
    crowd = market.sandbox.add_rule(action="crowd", insert=2)
    done = market.run()
    assert done.returncode == 0, done.stderr
    assert (lost.applied, market.posts()) == (2, 8)
    assert crowd.applied >= 2
    market.agree(rows)
