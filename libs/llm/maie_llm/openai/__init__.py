"""Language models behind any server that speaks OpenAI's API for chat completions."""

from maie_llm.openai.connect import open_openai
from maie_llm.openai.settings import OpenAISettings

__all__ = ["OpenAISettings", "open_openai"]
