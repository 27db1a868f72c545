"""What is compared with what. Differences are second minus first; the first read is the reference."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """Two kinds of read of the same unit.

    independent : both reads were made without sight of the other; others are shown apart and never pooled
    """

    key: str
    label: str
    first: str
    second: str
    independent: bool = True

    @property
    def words(self) -> str:
        """The label inside a sentence."""
        return self.label[:1].lower() + self.label[1:]


PAIRS: dict[str, Pair] = {
    pair.key: pair
    for pair in (
        Pair("network_expert", "Network and expert", "expert", "network"),
        Pair("network_ivus", "Network and IVUS", "IVUS", "network"),
        Pair("network_ica", "Network and ICA", "ICA", "network"),
        Pair("expert_expert", "Expert and second expert", "expert", "second expert"),
        Pair("repeat", "Repeat and first read of the same expert", "first read", "repeat"),
        Pair("centreline", "Network on two operators' centrelines", "centreline A", "centreline B"),
        Pair("assisted", "Network and expert who saw it", "network", "assisted expert", independent=False),
    )
}

EXTENTS = ("given", "own")
"""``given``: the network measured inside the reference's lesions. ``own``: each found its own, matched by overlap."""

MATCHES = ("matched", "first_only", "second_only")
"""Whether both reads have the unit. A lesion of one read alone enters with 0 where the metric is zero when absent."""
