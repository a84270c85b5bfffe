"""OpenAI's speech API: its forms, answers, events and errors, for its clients unchanged.

Reference: https://platform.openai.com/docs/api-reference/audio
"""
