"""A naive Bayes filter: how likely is a text spam, by the words that it has in common with known ones?"""

import math
import re
from collections import Counter
from collections.abc import Iterable
from functools import cache

__all__ = ["Filter", "trained"]

SPAM = """
buy cheap pills online now
win money fast click this link
free casino bonus click here now
cheap watches best price buy now
earn money from home guaranteed income
limited offer free credit no risk
hot singles in your area click here
lose weight fast with this one free trick
"""
OTHERS = """
thank you for this article it helped me a lot
i think the second example has a mistake in line three
how do i run this on my own machine
great post the part about retries was new to me
could you write more about testing next time
i had the same problem and solved it with a longer timeout
is there a way to see which tasks are waiting
the picture in the middle does not load for me
"""


class Filter:
    """Knows how often each word was in either kind of text."""

    def __init__(self, spam: Iterable[str], others: Iterable[str]) -> None:
        """Learn from texts of both kinds."""
        self._spam = Counter(word for text in spam for word in _words(text))
        self._others = Counter(word for text in others for word in _words(text))
        self._known = len(self._spam | self._others)

    def probability(self, text: str) -> float:
        """How likely it is spam, between 0 and 1; 0.5 where no word is known."""
        evidence = sum(self._evidence(word) for word in _words(text))
        return 1 / (1 + math.exp(-evidence))

    def _evidence(self, word: str) -> float:
        """The logarithm of how much more often a word is in spam; each is taken as seen once more than it was."""
        if word not in self._spam and word not in self._others:
            return 0.0
        spam = (self._spam[word] + 1) / (self._spam.total() + self._known)
        others = (self._others[word] + 1) / (self._others.total() + self._known)
        return math.log(spam / others)


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z']+", text.lower()))


@cache
def trained() -> Filter:
    """The filter, taught once in each process."""
    return Filter(SPAM.strip().splitlines(), OTHERS.strip().splitlines())
