"""Text of any length as short pieces of words that can be spoken."""
