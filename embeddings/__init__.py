"""Chinese and English news in one space, on the machine you own.

encoder = load_encoder()
vectors = encode_articles(frame, encoder, VectorCache(Path("vectors")))
removal = LanguageRemoval.shipped(encoder.fingerprint).fit(vectors, frame["lang"])
comparable = removal.transform(vectors, frame["lang"])
"""

from embeddings.articles import encode_articles
from embeddings.bundled import BundledModelError
from embeddings.cache import Cost, VectorCache
from embeddings.encoder import Encoder, load_encoder
from embeddings.languages import LanguageRemoval, same_language_share
from embeddings.passages import Span, model_input, split_sentences
from embeddings.vector_file import Lookup

__all__ = [
    "BundledModelError",
    "Cost",
    "Encoder",
    "LanguageRemoval",
    "Lookup",
    "Span",
    "VectorCache",
    "encode_articles",
    "load_encoder",
    "model_input",
    "same_language_share",
    "split_sentences",
]
