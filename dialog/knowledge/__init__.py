"""Documents in, passages out: readers, chunks, two search legs, fusion, abstention.

from dialog.knowledge.base import open_knowledge
from dialog.knowledge.index import build_index
"""
