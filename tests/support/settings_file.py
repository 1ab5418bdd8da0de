"""A settings file as the contract shows it, and any tree that YAML can hold."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

EXAMPLE = """\
product: shop
environments: {prod: production}      # words of the pipeline → names in the tracker
notifications:                        # same shape as the tracker's notification preferences
  - event_type: deployment.failed     # or deployment.*, *.failed, *
    channel_id: C0123456789
    environments: [production]        # optional filters
    products: [shop]
    mention: ["<!subteam^S012>", "@U0456"]
metadata: {team: payments}
"""

TREES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.datetimes()
    | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=10,
)
