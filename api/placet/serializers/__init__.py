"""What Placet's clients send, and what they get: shapes only. Unknown keys are dropped.

The structs are the one definition: requests are decoded into them, and the OpenAPI document is
generated from them. Those named `…Out` document the answers of `wire.py`; a test holds the two
together.
"""
