"""Sends the finals of live sessions, in the order of each track.

The log of a session says which finals there are. A `feed` is what one receiver gets of one track:

- `relay.py` reads the logs of all sessions, and queues a note for each feed that has a new final.
- `sender.py` takes such notes. A note holds its feed for one gateway at a time, and its retries
  are the feed's.
- `turn.py` sends the finals of a feed one after the other, and stores how far it is.

A note that comes twice or late does no harm, since the log and the position of the feed say what is
to be sent. So the gateway that stored a final, and the one that sends it, may die at any time.
"""
