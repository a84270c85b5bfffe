"""Language models behind one protocol, for stages that generate text."""

from maie_llm.messages import generation_of
from maie_llm.model import Completion, Generation, LanguageModel, Message, Prompt

__all__ = ["Completion", "Generation", "LanguageModel", "Message", "Prompt", "generation_of"]
