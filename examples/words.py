# SPDX-License-Identifier: BSD-3-Clause
"""Tell from its words which chapter of Python's manual a paragraph is from.

Words become features by hashing: each has a number below 2^16, and two words rarely share one. A
paragraph has few words, so X is sparse, and `fit` reads only what is stored. Words that come twice
are stored twice, and add up. Python ships its manual: `help("with")` shows a piece.
"""

import re
import zlib
from pydoc_data.topics import topics

import numpy as np
from scipy.sparse import csc_array

import logreg_c

N_X = 1 << 16


def number(word):
    """Return the feature that a word is."""
    return zlib.crc32(word.encode()) % N_X


COMPOUND = "compound statements"  # if, for, try, with, def, class ...
CHAPTERS = {COMPOUND: "compound", "special methods": "specialnames"}

texts, chapters = [], []
for chapter, topic in CHAPTERS.items():
    for text in re.split(r"\n\s*\n", topics[topic]):
        texts.append(re.findall(r"[a-z_]+", text.lower()))
        chapters.append(chapter)

starts = np.cumsum([0, *map(len, texts)])
rows = np.array([number(word) for words in texts for word in words])
X = csc_array((np.ones(rows.size, np.int8), rows, starts), shape=(N_X, len(texts)))
Y = np.array(chapters) == COMPOUND
print(f"X: {X.shape}, of which {X.nnz / X.shape[1]:.0f} values per paragraph are stored")

order = np.random.default_rng(0).permutation(len(texts))
X, Y = X[:, order], Y[order]
m = len(texts) * 4 // 5
result = logreg_c.fit(X[:, :m], Y[:m], l2=1e-3)
print(result)
answer = logreg_c.predict(X[:, m:], result.w, result.b)[0]
print(f"{np.mean(answer == Y[m:]):.0%} of {answer.size} held-out paragraphs are told apart")

words = sorted({word for text in texts for word in text})
weight = np.array([result.w.item(number(word)) for word in words])
for name, best in (COMPOUND, np.argsort(-weight)), ("special methods", np.argsort(weight)):
    print(f"{name}: {', '.join(words[k] for k in best[:8])}")
