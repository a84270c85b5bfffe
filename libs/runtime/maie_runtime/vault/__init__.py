"""Encryption of what is stored of a job, with a data key for each job that gateways make and keep.

`data_key.py` and `sealed_blob.py` have the formats and know nothing of where keys are;
`vault.py` says how a process gets them.
"""
