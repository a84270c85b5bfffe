"""Deepgram's speech API: its options, answers, messages and errors, for its clients unchanged.

Reference: https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded
"""
