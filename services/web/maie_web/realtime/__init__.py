"""OpenAI's realtime API, as far as it transcribes: its events over a WebSocket.

Reference: https://platform.openai.com/docs/guides/realtime-transcription
"""
