"""The alignment stage: how a text was read, word by word and sound by sound."""
